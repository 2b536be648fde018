// Mocha's usual report, and its numbers with what failed appended as one JSON line to the file that RUNPOD_TEST_COUNTS names.
const { appendFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failed = [];
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      failed.push({ title: test.titlePath().join(' › '), why: String(error?.stack ?? error) });
    });
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const file = process.env.RUNPOD_TEST_COUNTS;
      const { passes, failures, pending } = runner.stats;
      if (file) appendFileSync(file, `${JSON.stringify({ passes, failures, pending, failed })}\n`);
    });
  }
};
