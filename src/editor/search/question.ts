import { l10n, QuickInputButtons, ThemeIcon, window, type InputBox, type QuickInputButton } from 'vscode';
import { splitGlobs } from '../../files/search/globs';
import { compile } from '../../files/search/pattern';
import { SearchError } from '../../files/search/query';
import { searchErrorWords } from './words';

/** What a person chose in the search question; remembered for the next. */
export interface Asked {
  readonly text: string;
  readonly caseSensitive: boolean;
  readonly word: boolean;
  readonly regex: boolean;
  readonly ignored: boolean;
  readonly include: string;
  readonly exclude: string;
}

export const nothingAsked: Asked = { text: '', caseSensitive: false, word: false, regex: false, ignored: false, include: '', exclude: '' };

type Toggle = 'caseSensitive' | 'word' | 'regex' | 'ignored';

const toggles: readonly { readonly key: Toggle; readonly icon: string; readonly label: () => string }[] = [
  { key: 'caseSensitive', icon: 'case-sensitive', label: () => l10n.t('Match Case') },
  { key: 'word', icon: 'whole-word', label: () => l10n.t('Match Whole Word') },
  { key: 'regex', icon: 'regex', label: () => l10n.t('Use Regular Expression') },
  { key: 'ignored', icon: 'eye', label: () => l10n.t('Also Ignored and Excluded Files') },
];

/** Asks what to search for; undefined when the person leaves. */
export async function askQuery(where: string, before: Asked): Promise<Asked | undefined> {
  for (let asked = before; ; ) {
    const answer = await askText(where, asked);
    if (answer === undefined || !answer.files) return answer?.asked;
    asked = (await askFiles(where, answer.asked)) ?? answer.asked;
  }
}

function askText(where: string, before: Asked): Promise<{ asked: Asked; files: boolean } | undefined> {
  const input = window.createInputBox();
  const asked = { ...before };
  const files: QuickInputButton = { iconPath: new ThemeIcon('filter'), tooltip: l10n.t('Files to Include and Exclude…') };
  const draw = (): void => {
    // Buttons of an input have no pressed look in every editor version; the words below say what is on.
    input.buttons = [
      ...toggles.map(({ key, icon, label }) => ({ iconPath: new ThemeIcon(icon), tooltip: asked[key] ? l10n.t('{0}: On', label()) : l10n.t('{0}: Off', label()) })),
      files,
    ];
    const on = toggles.filter(({ key }) => asked[key]).map(({ label }) => label());
    const filters = [asked.include === '' ? '' : l10n.t('in {0}', asked.include), asked.exclude === '' ? '' : l10n.t('not in {0}', asked.exclude)].filter(Boolean);
    input.prompt = [...on, ...filters].join(' · ') || l10n.t('Upper and lower case are the same; “.gitignore” is respected.');
    input.validationMessage = problemOf(asked);
  };
  input.title = l10n.t('Search on Pod · {0}', where);
  input.placeholder = l10n.t('Search');
  input.value = asked.text;
  draw();
  return new Promise((resolve) => {
    const leave = (answer: { asked: Asked; files: boolean } | undefined): void => {
      resolve(answer);
      input.dispose();
    };
    input.onDidChangeValue((text) => {
      asked.text = text;
      input.validationMessage = problemOf(asked);
    });
    input.onDidTriggerButton((button) => {
      const toggle = toggles[input.buttons.indexOf(button)];
      if (toggle === undefined) return leave({ asked, files: true });
      asked[toggle.key] = !asked[toggle.key];
      draw();
    });
    input.onDidAccept(() => {
      if (asked.text !== '' && problemOf(asked) === undefined) leave({ asked, files: false });
    });
    input.onDidHide(() => leave(undefined));
    input.show();
  });
}

function problemOf(asked: Asked): string | undefined {
  if (asked.text === '') return undefined;
  try {
    compile(asked);
    return undefined;
  } catch (error) {
    return error instanceof SearchError ? searchErrorWords(error) : String(error);
  }
}

async function askFiles(where: string, asked: Asked): Promise<Asked | undefined> {
  const title = l10n.t('Search on Pod · {0}', where);
  const include = await ask(title, l10n.t('Files to include, for example *.py, src'), asked.include);
  if (include === undefined) return undefined;
  const exclude = await ask(title, l10n.t('Files to exclude, for example *.jsonl, out/**'), asked.exclude);
  return exclude === undefined ? undefined : { ...asked, include, exclude };
}

function ask(title: string, placeholder: string, value: string): Promise<string | undefined> {
  const input: InputBox = window.createInputBox();
  Object.assign(input, { title, placeholder, value, prompt: placeholder, buttons: [QuickInputButtons.Back] });
  return new Promise((resolve) => {
    input.onDidAccept(() => {
      resolve(splitGlobs(input.value).join(', '));
      input.dispose();
    });
    input.onDidTriggerButton(() => input.hide());
    input.onDidHide(() => {
      resolve(undefined);
      input.dispose();
    });
    input.show();
  });
}
