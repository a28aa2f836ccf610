/**
 * Draws components into a page, and does to it what people do.
 */
import { act, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';

(globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;

export class Page {
  readonly node = document.body.appendChild(document.createElement('div'));
  private readonly root = createRoot(this.node);

  /** Do something, and wait for what it changes. */
  async do(action: () => unknown): Promise<void> {
    await act(async () => {
      action();
      await Promise.resolve();
    });
  }

  /** Draw, and wait for what is fetched. */
  async show(element: ReactElement): Promise<this> {
    await this.do(() => this.root.render(element));
    return this;
  }

  get text(): string {
    return this.node.textContent ?? '';
  }

  all(selector: string): HTMLElement[] {
    return Array.from(this.node.querySelectorAll<HTMLElement>(selector));
  }

  /** The first node that a selector finds and, if given, whose text or name is that. */
  find(selector: string, name?: string): HTMLElement {
    const found = this.all(selector).find(
      node => name === undefined || node.textContent === name || node.getAttribute('aria-label') === name
    );
    if (!found) {
      throw new Error(`No ${selector} ${name ?? ''} in ${this.node.innerHTML}`);
    }
    return found;
  }

  async click(selector: string, name?: string): Promise<void> {
    const node = this.find(selector, name);
    await this.do(() => node.click());
  }

  async type(selector: string, name: string, value: string): Promise<void> {
    const node = this.find(selector, name) as HTMLInputElement;
    // React watches the property: its own setter is gone round.
    const kind = node instanceof HTMLSelectElement ? HTMLSelectElement : HTMLInputElement;
    await this.do(() => {
      Object.getOwnPropertyDescriptor(kind.prototype, 'value')!.set!.call(node, value);
      node.dispatchEvent(new Event(kind === HTMLSelectElement ? 'change' : 'input', { bubbles: true }));
    });
  }

  async press(key: string): Promise<void> {
    await this.do(() => document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })));
  }

  close(): void {
    act(() => this.root.unmount());
    this.node.remove();
  }
}
