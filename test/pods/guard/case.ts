import * as assert from 'node:assert/strict';
import { Container } from './process';
import { TinyApi } from './tinyApi';

export interface World {
  readonly container: Container;
  readonly api: TinyApi;
  /** What a guard is told of where the API is. */
  readonly urls: string[];
}

/** What a test has of its own. */
export interface Case {
  /** @param options.speed of the API's clock, 20 unless told; `tools` see `Container.make` */
  readonly setUp: (options?: { speed?: number; tools?: readonly string[] }) => Promise<World>;
}

/**
 * An `it` for tests that mostly wait: all of a `describe` run at the same time, each with an API and a container of its own, and
 * each is reported by itself.
 */
export function sideBySide(): (title: string, test: (scope: Case) => Promise<void>) => void {
  const tests: { readonly run: () => Promise<void>; outcome?: Promise<void> }[] = [];
  before(() => {
    for (const test of tests) {
      test.outcome = test.run();
      test.outcome.catch(() => undefined);
    }
  });
  return (title, test) => {
    const entry: (typeof tests)[number] = { run: () => inScope(test) };
    tests.push(entry);
    it(title, () => entry.outcome);
  };
}

async function inScope(test: (scope: Case) => Promise<void>): Promise<void> {
  const worlds: World[] = [];
  try {
    await test({
      setUp: async (options = {}) => {
        const api = await TinyApi.open(options.speed ?? 20);
        const container = await Container.make(api.pod.id, options.tools);
        const world: World = { container, api, urls: [`api=${api.url}`, `graphql=${api.graphqlUrl}`] };
        worlds.push(world);
        return world;
      },
    });
    assert.equal(worlds.map(({ container }) => container.complaints).join(''), '');
  } finally {
    await Promise.all(worlds.flatMap(({ container, api }) => [container.remove(), api.close()]));
  }
}
