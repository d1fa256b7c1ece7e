// Lints an OpenAPI document with Redocly's recommended rules. Usage: node lint.mjs FILE
import { createConfig, lint } from '@redocly/openapi-core';

const config = await createConfig({
  extends: ['recommended-strict'],
  rules: {
    'operation-4xx-response': 'error',
    'path-parameters-defined': 'error',
    'no-ambiguous-paths': 'off', // /webhooks/deliveries/{id}, /webhooks/{id}/test: no id reads `deliveries`
  },
});
const problems = await lint({ ref: process.argv[2], config });
for (const { ruleId, message, location } of problems)
  console.log(`${ruleId}: ${message} (${location[0].pointer ?? ''})`);
process.exit(problems.length > 0 ? 1 : 0);
