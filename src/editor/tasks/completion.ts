import { CompletionItem, CompletionItemKind, languages, Range, type Disposable } from 'vscode';
import type { PodStore } from '../../pods/store';
import { rate } from '../words';
import { TASK_TYPE } from './definition';

/** Names of pods for the `pod` of a task in `tasks.json`; the fields themselves are completed by the manifest. */
export function completeTasks(store: PodStore): Disposable {
  return languages.registerCompletionItemProvider(
    [{ pattern: '**/.vscode/tasks.json' }, { pattern: '**/*.code-workspace' }],
    {
      provideCompletionItems: async (document, position) => {
        const { getLocation, getNodeValue, findNodeAtLocation, parseTree } = await import('jsonc-parser');
        const text = document.getText();
        const { path, previousNode, isAtPropertyKey } = getLocation(text, document.offsetAt(position));
        if (isAtPropertyKey || path.at(-1) !== 'pod') return [];
        const tree = parseTree(text);
        const type = tree && findNodeAtLocation(tree, [...path.slice(0, -1), 'type']);
        if (type === undefined || getNodeValue(type) !== TASK_TYPE) return [];
        const range = previousNode === undefined ? undefined : new Range(document.positionAt(previousNode.offset), document.positionAt(previousNode.offset + previousNode.length));
        return store.state.pods.map((pod) => {
          const item = new CompletionItem(JSON.stringify(pod.name), CompletionItemKind.Value);
          item.detail = [pod.status, rate(pod.costPerHour)].join(' · ');
          if (range !== undefined) item.range = range;
          return item;
        });
      },
    },
    '"',
  );
}
