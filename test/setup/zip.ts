export interface ZipEntry {
  readonly name: string;
  /** Bytes in the archive. */
  readonly packed: number;
}

/** The files of a zip archive, by its central directory. */
export function zipEntries(archive: Buffer): ZipEntry[] {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0) throw new Error('Not a zip archive.');
  const entries: ZipEntry[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(at) !== 0x02014b50) throw new Error('A damaged zip archive.');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset)) as [number, number, number];
    entries.push({ name: archive.toString('utf8', at + 46, at + 46 + nameLength), packed: archive.readUInt32LE(at + 20) });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return entries;
}
