/** What the parent may ask of a server process besides serving: memory that has settled, profiles, what is open. */
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import type { ServerReady } from './start-server.ts'

export type Asked =
  | { readonly ask: 'settle' }
  | { readonly ask: 'profile' }
  /** Ends the profiles and writes them: `<file>.cpuprofile`, `<file>.heapprofile`. */
  | { readonly ask: 'profiled'; readonly file: string }
  | { readonly ask: 'active' }

let session: Session | undefined

/** Says that the server is ready, and answers its parent from here on. */
export function control(ready: ServerReady): void {
  process.on('message', (asked: Asked) => void answer(asked).then((value) => process.send?.({ answer: value })))
  process.once('disconnect', () => process.exit())
  process.send?.({ answer: ready })
}

async function answer(asked: Asked): Promise<unknown> {
  switch (asked.ask) {
    case 'settle': {
      const collect = (globalThis as { gc?: () => void }).gc
      if (!collect) throw new Error('Started without --expose-gc.')
      // Twice, with a turn between: what the first one frees may hold on to more through finalizers.
      for (let i = 0; i < 3; i++) {
        collect()
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      return process.memoryUsage()
    }
    case 'profile':
      session = new Session()
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.start')
      // All that was allocated, not only what is alive at the end.
      await session.post('HeapProfiler.startSampling', {
        samplingInterval: 32_768,
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      } as object)
      return true
    case 'profiled': {
      const cpu = await session!.post('Profiler.stop')
      const heap = await session!.post('HeapProfiler.stopSampling')
      session!.disconnect()
      writeFileSync(`${asked.file}.cpuprofile`, JSON.stringify(cpu.profile))
      writeFileSync(`${asked.file}.heapprofile`, JSON.stringify(heap.profile))
      return true
    }
    case 'active':
      return process.getActiveResourcesInfo()
  }
}
