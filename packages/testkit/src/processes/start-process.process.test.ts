import { afterEach, expect, test } from 'vitest'
import { type RunningProcess, startProcess } from './start-process.ts'

const started: RunningProcess[] = []
afterEach(async () => {
  for (const one of started.splice(0)) await one.close()
})

function node(script: string) {
  const one = startProcess({ command: process.execPath, args: ['-e', script] })
  started.push(one)
  return one
}

test('a line is found whether it was printed before or after it was asked for', async () => {
  const one = node("console.log('ready 1'); setInterval(() => console.error('late 2'), 20)")
  expect((await one.line(/ready (\d)/))[1]).toBe('1')
  expect((await one.line(/ready (\d)/))[1]).toBe('1')
  expect((await one.line(/late (\d)/))[1]).toBe('2')
})

test('a line that never comes is told with what did come', async () => {
  const one = node("console.log('half'); process.stdout.write('no newline')")
  await expect(one.line(/whole/)).rejects.toThrow(/before the process ended:\nhalf\nno newline/)
  expect(await one.exit).toEqual({ code: 0, signal: null })
})

test('terminate lets it tidy up, kill does not', async () => {
  const script =
    "process.on('SIGTERM', () => { console.log('bye'); process.exit(7) }); setInterval(() => {}, 1000); console.log('up')"
  const polite = node(script)
  await polite.line(/up/)
  expect(await polite.terminate()).toEqual({ code: 7, signal: null })
  expect(polite.lines).toEqual(['up', 'bye'])
  const brutal = node(script)
  await brutal.line(/up/)
  expect(await brutal.kill()).toEqual({ code: null, signal: 'SIGKILL' })
  expect(brutal.isRunning).toBe(false)
})

test('terminate kills what does not stop in time', async () => {
  const one = node("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')")
  await one.line(/up/)
  expect(await one.terminate({ timeoutMs: 50 })).toEqual({ code: null, signal: 'SIGKILL' })
})

test('a paused process does nothing until it is resumed', async () => {
  const one = node("let n = 0; setInterval(() => console.log('tick ' + n++), 10)")
  await one.line(/tick 1/)
  one.pause()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const before = one.lines.length
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(one.lines.length).toBe(before)
  one.resume()
  await one.line(new RegExp(`tick ${before + 2}$`))
})

test('one that is spoken to hears it', async () => {
  const script = "process.stdin.on('data', (data) => console.log('heard ' + data))"
  const one = startProcess({ command: process.execPath, args: ['-e', script], isSpokenTo: true })
  started.push(one)
  one.say('start node 2')
  await one.line(/^heard start node 2$/)
})

test('its memory can be read', async () => {
  const one = node(
    "const held = Buffer.alloc(64 * 1024 * 1024, 1); console.log('up'); setInterval(() => held[0], 1000)",
  )
  await one.line(/up/)
  expect(one.residentBytes()).toBeGreaterThan(64 * 1024 * 1024)
})

test('a program that does not exist is told so', async () => {
  const one = startProcess({ command: '/nonexistent/program' })
  await expect(one.line(/anything/)).rejects.toThrow(/could not be started/)
})
