/**
 * The settings of the plugin, with their defaults where there are none.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal, type ISignal } from '@lumino/signaling';

export interface ISettings {
  /** Load the kernel extension in notebooks with blocks. */
  readonly loadKernelExtension: boolean;
  /** Tell when a run has ended. */
  readonly notifications: boolean;
  /** Offer to tag cells that have no tag, while the pointer is on them. */
  readonly offerTags: boolean;
}

const DEFAULTS: ISettings = { loadKernelExtension: true, notifications: true, offerTags: true };

export class PluginSettings {
  constructor(registry: ISettingRegistry | null, plugin: string) {
    registry?.load(plugin).then(
      settings => {
        const take = (): void => {
          this._value = { ...DEFAULTS, ...(settings.composite as Partial<ISettings>) };
          this._changed.emit();
        };
        settings.changed.connect(take);
        take();
      },
      (error: unknown) => console.warn('jupyter-blocks:', error)
    );
  }

  get value(): ISettings {
    return this._value;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private readonly _changed = new Signal<this, void>(this);
  private _value = DEFAULTS;
}
