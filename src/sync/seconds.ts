/** The second a time lies in, as tar writes it. */
export const wholeSeconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000));
