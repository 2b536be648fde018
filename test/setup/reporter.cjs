// Mocha's usual report, and its numbers appended as one JSON line to the file that RUNPOD_TEST_COUNTS names.
const { appendFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const file = process.env.RUNPOD_TEST_COUNTS;
      const { passes, failures, pending } = runner.stats;
      if (file) appendFileSync(file, `${JSON.stringify({ passes, failures, pending })}\n`);
    });
  }
};
