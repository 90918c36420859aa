import type { Reporter, TestModule } from 'vitest/node'

/**
 * Ends the run with one plain line that a pipeline can read: `120 passed, 0 failed`. Before it stand the tests that passed only when they
 * were tried again: each is a fault of the test or of what it tests, to be found.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const wavering: string[] = []
    const count = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      if (module.errors().length > 0) count.failed++
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state !== 'pending') count[state]++
        if (test.diagnostic()?.flaky) wavering.push(`${module.relativeModuleId} > ${test.fullName}`)
      }
    }
    const skipped = count.skipped === 0 ? '' : `, ${count.skipped} skipped`
    // After the default reporter's summary.
    const second = wavering.map((name) => `PASSED ONLY AT THE SECOND TRY: ${name}\n`).join('')
    process.on('exit', () =>
      process.stdout.write(`${second}${count.passed} passed, ${count.failed} failed${skipped}\n`),
    )
  }
}
