import { randomBytes } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

const letters = (count: number, alphabet = ALPHABET): string =>
  Array.from(randomBytes(count), (byte) => alphabet.charAt(byte % alphabet.length)).join('');

/** A pod's id as the platform makes them: fourteen characters, a letter first. */
export const newPodId = (): string => letters(1, ALPHABET.slice(0, 26)) + letters(13);
export const newResourceId = (): string => letters(10);
export const newKey = (): string => `rpa_${letters(40, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')}${letters(6)}`;
export const newHex = (bytes = 4): string => randomBytes(bytes).toString('hex');
export const newPassword = (): string => letters(20);
