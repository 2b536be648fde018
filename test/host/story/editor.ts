import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { withDeadline } from '../../../src/base/time';
import { root } from '../../setup/root.mjs';
import { launchBrowser, slowedDown } from '../driver/browser';
import { click, clicked } from '../driver/click';
import { untilKept } from '../driver/kept';
import { Messages, type Message } from '../driver/messages';
import { QuickInput } from '../driver/quickInput';
import { cleanEnvironment, RunFolder } from '../driver/runFolder';
import { calmSettings, extensionFolderName, machineSettingsFile, startEditorServer, type EditorServer } from '../driver/server';
import { newKey } from '../../simulator/ids';
import { startSimulator, type RunningSimulator } from '../driver/simulator';
import { stageExtension } from '../driver/stage';
import { Terminal } from '../driver/terminal';
import { linesOf, TextEditor } from '../driver/textEditor';
import { Tree } from '../driver/tree';
import { exactly, matches, patience, tidy, until, untilReads } from '../driver/wait';

export { click, until, untilReads };
export type { Message };

/** Colour themes of the editor, by what they are for. */
export const themes = { dark: 'Dark 2026', light: 'Light 2026', contrast: 'Default High Contrast', contrastLight: 'Default High Contrast Light' } as const;

export interface EditorOptions {
  /** Settings of the machine, on top of the calm ones and the simulator's addresses. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** `environment` (default): the simulator's key is in RUNPOD_API_KEY; `none`: nobody is signed in. */
  readonly key?: 'environment' | 'none';
  /** Further arguments for the simulator, or false for none at all. */
  readonly simulator?: readonly string[] | false;
  /** What the first window opens: a copy of the sample project (default), nothing, or a folder. */
  readonly folder?: 'sample' | 'none' | { readonly path: string };
  /** The window, in CSS pixels. */
  readonly size?: { readonly width: number; readonly height: number };
  readonly theme?: keyof typeof themes;
  /** The window asks whether its folder is to be trusted, as it does unless told otherwise; stories do without. */
  readonly askForTrust?: boolean;
  /** Further environment for the extension host. */
  readonly env?: NodeJS.ProcessEnv;
}

/** A part of the window, from the upper left corner of `part` (a selector; the window unless told), as large as that part or as said, in pixels. */
export interface Crop {
  readonly part?: string;
  readonly width?: number;
  readonly height?: number;
}

/** A real VS Code with the extension installed, over a simulator of its own, in a browser that a story drives. */
export class Editor {
  readonly run: RunFolder;
  #simulator: RunningSimulator | undefined;
  #server: EditorServer | undefined;
  #browser: Browser | undefined;
  #context: BrowserContext | undefined;
  #page: Page | undefined;
  #settings: Record<string, unknown> = {};

  constructor(private readonly options: EditorOptions = {}) {
    this.run = new RunFolder('story');
  }

  /** Starts simulator, server and browser, and opens the window. */
  async start(): Promise<void> {
    const { options, run } = this;
    const apiKey = newKey();
    // Beside each other, for each of them takes its time; the window alone needs them all.
    const [simulator, browser] = await Promise.all([
      options.simulator === false ? undefined : startSimulator(run.file('simulator.log'), ['--api-key', apiKey, ...(options.simulator ?? [])]).then((it) => (this.#simulator = it)),
      launchBrowser().then((it) => (this.#browser = it)),
      stageExtension(run.dir('extensions', extensionFolderName())).then(() => startEditorServer({
        dataDir: run.dir('data'),
        extensionsDir: run.dir('extensions'),
        port: 0,
        askForTrust: options.askForTrust === true,
        env: cleanEnvironment(run.dir('home'), { SHELL: '/bin/bash', ...(options.key === 'none' || options.simulator === false ? {} : { RUNPOD_API_KEY: apiKey }), ...options.env }),
        log: run.file('server.log'),
      })).then((it) => (this.#server = it)),
    ]);
    cpSync(join(root, 'test', 'host', 'sample'), run.dir('sample'), { recursive: true });
    this.settings({
      ...calmSettings,
      ...simulator?.settings,
      'workbench.colorTheme': themes[options.theme ?? 'dark'],
      ...options.settings,
    });
    this.#context = await browser.newContext({ viewport: options.size ?? { width: 1280, height: 800 }, deviceScaleFactor: 1, permissions: ['clipboard-read', 'clipboard-write'] });
    this.#context.setDefaultTimeout(patience);
    this.#context.setDefaultNavigationTimeout(2 * patience);
    await this.open(options.folder ?? 'sample');
  }

  /** Ends everything that `start` started and removes its folder. */
  async close(): Promise<void> {
    await withDeadline(this.#browser?.close() ?? Promise.resolve(), 15_000, 'Closing the browser').catch(() => undefined);
    await Promise.all([this.#server?.child.stop(), this.#simulator?.stop()]);
    this.run.remove();
  }

  get page(): Page { return given(this.#page, 'page'); }
  /** Address, REST calls and faults of RunPod on this machine. */
  get simulator(): RunningSimulator { return given(this.#simulator, 'simulator'); }
  get url(): string { return given(this.#server, 'server').url; }
  /** The folder that the window opens by default: a copy of `test/host/sample`. */
  get sampleFolder(): string { return this.run.file('sample'); }
  /** The home folder that the extension sees. */
  get home(): string { return this.run.file('home'); }

  /** The palette, and every question asked at the top of the window. */
  get quickInput(): QuickInput { return new QuickInput(this.page); }
  get textEditor(): TextEditor { return new TextEditor(this.page); }
  get terminal(): Terminal { return new Terminal(this.page); }

  /**
   * Opens a folder in the window, a virtual one by its URI (`runpod://<id>/workspace`), no folder at all, or a workspace file.
   * The window's state is that of a reload.
   */
  async open(folder: 'sample' | 'none' | { readonly path: string } | { readonly uri: string } | { readonly workspace: string }): Promise<void> {
    const query = folder === 'none' ? { ew: 'true' } : typeof folder === 'object' && 'workspace' in folder ? folder : { folder: folder === 'sample' ? this.sampleFolder : 'uri' in folder ? folder.uri : folder.path };
    await this.#page?.close();
    const page = await slowedDown(await given(this.#context, 'browser').newPage());
    this.#page = page;
    page.on('dialog', (dialog) => void dialog.accept());
    page.on('console', (message) => { if (message.type() === 'error') this.#note(message.text()); });
    await page.goto(`${this.url}?${new URLSearchParams(query).toString()}`);
    await this.#ready();
  }

  /** Reloads the window, as **Developer: Reload Window** does, once the browser keeps what is told here. */
  async reload(kept?: RegExp): Promise<void> {
    if (kept) await untilKept(this.page, kept);
    await this.page.reload();
    await this.#ready();
  }

  async resize(width: number, height: number): Promise<void> {
    await this.page.setViewportSize({ width, height });
  }

  async theme(name: keyof typeof themes): Promise<void> {
    this.settings({ 'workbench.colorTheme': themes[name] });
    const kind = { dark: 'vs-dark', light: 'vs', contrast: 'hc-black', contrastLight: 'hc-light' }[name];
    await this.page.locator(`.monaco-workbench.${kind}`).waitFor();
  }

  /** Changes settings of the machine, also while the window is open; undefined takes one back. */
  settings(changes: Readonly<Record<string, unknown>>): void {
    this.#settings = { ...this.#settings, ...changes };
    this.run.writeJson(machineSettingsFile(this.run.file('data')), {
      'terminal.integrated.gpuAcceleration': 'off',
      'terminal.integrated.stickyScroll.enabled': false,
      ...this.#settings,
    });
  }

  /** Runs a command from the palette, by its title with or without category. */
  async command(title: string): Promise<void> {
    await this.quickInput.command(title);
  }

  /** Opens the extension's place in the activity bar. */
  async sidebar(container = 'RunPod'): Promise<Tree> {
    const tab = this.page.locator('.activitybar .composite-bar .action-item', { has: this.page.locator(`.action-label[aria-label^="${container}"]`) }).first();
    await until(`${container} in the activity bar to open`, async () => {
      const opened = async (): Promise<boolean> => (await tab.getAttribute('aria-expanded', { timeout: 5000 })) === 'true';
      // A second click would close it again.
      return (await opened()) || ((await clicked(tab)) && until('it', opened, 5000));
    });
    return new Tree(this.page, this.page.locator('.part.sidebar'));
  }

  /** One of several views in the open sidebar, by the title of its section. */
  view(title: string): Tree {
    return new Tree(this.page, this.page.locator('.part.sidebar .pane', { has: this.page.locator('.pane-header .title', { hasText: exactly(title) }) }));
  }

  /** The words of the sidebar that are not rows: welcome text, the view's message. */
  async sidebarText(): Promise<string> {
    return tidy((await this.page.locator('.part.sidebar .welcome-view-content:visible, .part.sidebar .tree-explorer-viewlet-tree-view .message:visible').allInnerTexts()).join(' '));
  }

  /** Presses a button or link in the sidebar's welcome text. */
  async welcomeButton(name: string | RegExp): Promise<void> {
    await click(`the button "${name}"`, () => this.page.locator('.part.sidebar .welcome-view-content:visible').getByRole('button', { name }).first());
  }

  /** Presses an icon in the title of the sidebar, or of one of its views. */
  async sidebarAction(name: string | RegExp): Promise<void> {
    await click(`the icon "${name}"`, async () => {
      await this.page.locator('.part.sidebar').hover({ timeout: 5000 });
      return this.page.locator('.part.sidebar .title-actions, .part.sidebar .pane-header .actions').getByRole('button', { name }).first();
    });
  }

  /** The Explorer's files. */
  async explorer(): Promise<Tree> {
    await this.sidebar('Explorer');
    return new Tree(this.page, this.page.locator('.explorer-folders-view'));
  }

  /** Opens a file of the Explorer, by the labels on the way to it: `openFile('src', 'train.py')`. */
  async openFile(...labels: string[]): Promise<TextEditor> {
    const tree = await this.explorer();
    const name = labels.at(-1) ?? '';
    for (const folder of labels.slice(0, -1)) await (await tree.row(folder)).expand();
    await (await tree.row(name)).doubleClick();
    return this.textEditor.waitFor(name);
  }

  /** Waits for a notification; its buttons can be pressed. */
  async notification(wanted: string | RegExp, ms?: number): Promise<Message> {
    return new Messages(this.page).notification(wanted, ms);
  }

  async notifications(): Promise<string[]> {
    return new Messages(this.page).notifications();
  }

  async clearNotifications(): Promise<void> {
    await new Messages(this.page).clearNotifications();
  }

  /** Waits for a modal dialog; its buttons can be pressed. */
  async dialog(wanted?: string | RegExp, ms?: number): Promise<Message> {
    return new Messages(this.page).dialog(wanted, ms);
  }

  /** The items of the status bar, left to right, as they are read aloud. */
  async statusBar(): Promise<string[]> {
    // Read at one moment: items come and go.
    const labels = await this.page.locator('.part.statusbar .statusbar-item:visible').evaluateAll((items: { getAttribute(name: string): string | null; textContent: string | null }[]) => items.map((item) => [item.getAttribute('aria-label'), item.textContent] as const));
    return labels.map(([label, text]) => tidy(label) || tidy(text)).filter((text) => text !== '');
  }

  /** Waits for an item of the status bar; returns its text. */
  async statusItem(wanted: string | RegExp, ms?: number): Promise<string> {
    let seen: string[] = [];
    try {
      return await until(`"${wanted}" in the status bar`, async () => (seen = await this.statusBar()).find((text) => matches(text, wanted)), ms);
    } catch (error) {
      throw new Error(`${(error as Error).message}; there are: ${seen.join(' | ')}`);
    }
  }

  async clickStatusItem(wanted: string | RegExp): Promise<void> {
    const items = this.page.locator('.part.statusbar .statusbar-item:visible');
    await click(`"${wanted}" in the status bar`, async () => {
      // What is read aloud may be more than what is seen; and it may count the minutes.
      const text = await this.statusItem(wanted);
      return items.and(this.page.getByLabel(text, { exact: true })).or(items.filter({ hasText: text })).locator('a').first();
    });
  }

  /** Waits until the output panel shows what matches; returns the lines in sight. */
  async output(wanted: RegExp, ms?: number): Promise<string> {
    const lines = this.page.locator('.part.panel .output-view .view-lines .view-line');
    return untilReads('the output panel', () => linesOf(lines), wanted, ms);
  }

  /** What is on the clipboard. */
  async clipboard(): Promise<string> {
    return this.page.evaluate<string>('navigator.clipboard.readText()');
  }

  /** Everything that editor, extension host and simulator have logged so far. */
  logs(): string {
    return this.run.logs();
  }

  /**
   * A picture of the window, in `out/pictures/`.
   * @param options mouse: left where it is, for what shows under it; readme: when pictures are asked for
   *   (`npm run test:host -- --pictures`), also in `media/readme/`, whole or a part of it: a README is no wider than 900 pixels
   */
  async screenshot(name: string, options: { readonly mouse?: boolean; readonly readme?: boolean | Crop } = {}): Promise<string> {
    if (!options.mouse) await this.page.mouse.move(0, 0);
    const file = join(root, 'out', 'pictures', `${name}.png`);
    mkdirSync(join(file, '..'), { recursive: true });
    if (!options.mouse) await until('tooltips to go', async () => (await this.page.locator('.workbench-hover-container:visible').count()) === 0, 5000).catch(() => undefined);
    await this.page.screenshot({ path: file, animations: 'disabled', caret: 'hide' });
    if (options.readme && process.env['RUNPOD_PICTURES'] === '1') {
      const clip = options.readme === true ? undefined : await this.#clip(options.readme);
      await this.page.screenshot({ path: join(root, 'media', 'readme', `${name}.png`), animations: 'disabled', caret: 'hide', ...(clip ? { clip } : {}) });
    }
    return file;
  }

  /** Makes the sidebar so wide, as by dragging its edge; CSS pixels from the window's left edge. */
  async widenSidebar(x: number): Promise<void> {
    const box = await this.page.locator('.part.sidebar').boundingBox();
    if (box === null) throw new Error('There is no sidebar');
    const { mouse } = this.page;
    await mouse.move(box.x + box.width + 1, 400);
    await mouse.down();
    await mouse.move(x, 400, { steps: 5 });
    await mouse.up();
  }

  async #clip({ part, width, height }: Crop): Promise<{ x: number; y: number; width: number; height: number }> {
    const box = (part === undefined ? undefined : await this.page.locator(part).first().boundingBox()) ?? { x: 0, y: 0, width: Infinity, height: Infinity };
    const size = this.page.viewportSize() ?? { width: 0, height: 0 };
    return { x: box.x, y: box.y, width: width ?? Math.min(box.width, size.width), height: height ?? Math.min(box.height, size.height) };
  }

  /** Leaves a picture and all logs in `out/failures/` and says where. */
  async reportFailure(title: string): Promise<void> {
    const folder = join(root, 'out', 'failures');
    mkdirSync(folder, { recursive: true });
    const base = join(folder, title.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, 100));
    writeFileSync(`${base}.log`, this.logs());
    await this.#page?.screenshot({ path: `${base}.png` }).catch(() => undefined);
    console.log(`      Picture and logs: ${base}.png, ${base}.log`);
  }

  async #ready(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 120_000 });
    // Up when the workbench has restored itself; until then keystrokes go nowhere.
    await this.page.locator('.monaco-workbench .part.activitybar .composite-bar .action-item').first().waitFor();
  }

  #note(text: string): void {
    writeFileSync(this.run.file('page.log'), `${text}\n`, { flag: 'a' });
  }
}

/**
 * An editor for a `describe`: started before its first test, ended after its last, and with a picture and the logs left
 * behind where a test fails.
 */
export function useEditor(options: EditorOptions = {}): Editor {
  const editor = new Editor(options);
  before(async function () {
    this.timeout(300_000);
    try {
      await editor.start();
    } catch (error) {
      await editor.reportFailure('start');
      throw error;
    }
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await editor.reportFailure(this.currentTest.fullTitle());
  });
  after(async function () {
    this.timeout(120_000);
    await editor.close();
  });
  return editor;
}

function given<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`The editor has no ${what} yet: it is started by the first test's hooks.`);
  return value;
}
