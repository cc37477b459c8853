import { expect, test } from 'vitest'
import { countTests } from './run-vitest.mjs'

const file = (status: string, ...tests: string[]) => ({ status, assertionResults: tests.map((status) => ({ status })) })
const report = (passed: number, failed: number, testResults: unknown[]) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults,
})

test('passed and failed tests are counted one by one', () => {
  const count = countTests(report(1, 1, [file('failed', 'passed', 'failed')]), 1)
  expect(count).toEqual({ passed: 1, failed: 1, skipped: 0 })
})

test('a file that could not be loaded is one failure', () => {
  expect(countTests(report(2, 0, [file('passed', 'passed', 'passed'), file('failed')]), 1).failed).toBe(1)
})

test('an error outside of any test is one failure', () => {
  expect(countTests(report(1, 0, [file('passed', 'passed')]), 1).failed).toBe(1)
})

test('a runner that left no report is one failure', () => {
  expect(countTests(undefined, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
})
