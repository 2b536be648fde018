/** `4h`, `90m`, `1h30m`, `2d`. */
export const DURATION = /^(?=\d)(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?:in)?)?$/;

/** Minutes of a duration in these words; undefined for anything else and for none at all. */
export function minutesOf(text: string): number | undefined {
  const match = DURATION.exec(text.trim().replaceAll(' ', ''));
  if (!match) return undefined;
  const minutes = Number(match[1] ?? 0) * 1440 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
  return minutes > 0 ? minutes : undefined;
}
