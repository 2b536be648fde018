import { l10n } from 'vscode';
import type { LaunchStep } from '../../pods/launch';

export const stepTitle = (step: LaunchStep): string =>
  ({
    create: l10n.t('Create Pod'),
    ready: l10n.t('Wait Until Ready'),
    send: l10n.t('Send Folder'),
    setup: l10n.t('Run Set-up'),
    open: l10n.t('Open Folder'),
    terminal: l10n.t('Open Terminal'),
  })[step];
