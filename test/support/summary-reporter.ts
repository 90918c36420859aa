import type { Reporter, TestModule } from 'vitest/node'

/**
 * Ends the run with one plain line that a pipeline can read: `120 passed, 0 failed`. Before it come the tests that passed only when
 * retried: each points to a bug in the test or in what it tests.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const flaky: string[] = []
    const count = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      if (module.errors().length > 0) count.failed++
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state !== 'pending') count[state]++
        if (test.diagnostic()?.flaky) flaky.push(`${module.relativeModuleId} > ${test.fullName}`)
      }
    }
    const skipped = count.skipped === 0 ? '' : `, ${count.skipped} skipped`
    // After the default reporter's summary.
    const retried = flaky.map((name) => `FLAKY, passed only on retry: ${name}\n`).join('')
    process.on('exit', () =>
      process.stdout.write(`${retried}${count.passed} passed, ${count.failed} failed${skipped}\n`),
    )
  }
}
