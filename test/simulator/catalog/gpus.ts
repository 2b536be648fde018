/** Stock of one GPU type, as the API words it. */
export type Availability = 'NONE' | 'LOW' | 'MEDIUM' | 'HIGH';

export interface GpuModel {
  readonly id: string;
  readonly name: string;
  readonly pool: string | null;
  readonly manufacturer: 'NVIDIA' | 'AMD';
  /** VRAM, GB. */
  readonly memory: number;
  /** USD per GPU-hour; 0 where that cloud has none. */
  readonly secure: number;
  readonly community: number;
  readonly serverless: number | undefined;
  readonly maxSecure: number;
  readonly maxCommunity: number;
  /** What comes with each GPU. */
  readonly vcpuPerGpu: number;
  readonly ramPerGpu: number;
  readonly cudaVersions: readonly string[];
  /** Data centers of Secure Cloud that have it. */
  readonly stock: Readonly<Record<string, Availability>>;
  readonly communityStock: Availability;
}

const CUDA = ['12.4', '12.6', '12.8', '13.0'];
const BLACKWELL_CUDA = ['12.8', '12.9', '13.0'];

type Row = [
  id: string, name: string, memory: number, secure: number, community: number, serverless: number | undefined, pool: string | null,
  max: [number, number], perGpu: [vcpu: number, ram: number], stock: string, communityStock: Availability,
];

/** Stock in short: `US-KS-2 H` is plenty, `M` some, `L` little. */
function stockOf(short: string): Record<string, Availability> {
  const levels: Record<string, Availability> = { H: 'HIGH', M: 'MEDIUM', L: 'LOW', N: 'NONE' };
  const entries = short.split(',').flatMap((entry): [string, Availability][] => {
    const [dataCenter, level] = entry.trim().split(' ');
    return dataCenter === undefined || dataCenter === '' ? [] : [[dataCenter, levels[level ?? 'M'] ?? 'MEDIUM']];
  });
  return Object.fromEntries(entries);
}

// prettier-ignore
const rows: Row[] = [
  ['NVIDIA GeForce RTX 4090', 'RTX 4090', 24, 0.69, 0.34, 1.1, 'ADA_24', [8, 8], [8, 41], 'US-KS-2 H, EU-RO-1 H, EUR-IS-1 M, US-NC-1 L, EU-CZ-1 M, CA-MTL-1 L', 'HIGH'],
  ['NVIDIA GeForce RTX 5090', 'RTX 5090', 32, 0.99, 0.69, 1.58, 'ADA_32_PRO', [8, 4], [12, 60], 'EU-RO-1 M, EUR-IS-1 M, US-NC-1 L, EU-CZ-1 L', 'MEDIUM'],
  ['NVIDIA GeForce RTX 3090', 'RTX 3090', 24, 0.46, 0.22, 0.69, 'AMPERE_24', [8, 8], [8, 30], 'CA-MTL-1 M, US-KS-2 L', 'HIGH'],
  ['NVIDIA GeForce RTX 3070', 'RTX 3070', 8, 0, 0.13, undefined, null, [0, 4], [6, 15], '', 'LOW'],
  ['NVIDIA GeForce RTX 4080 SUPER', 'RTX 4080 SUPER', 16, 0, 0.28, undefined, null, [0, 4], [8, 30], '', 'LOW'],
  ['NVIDIA RTX 2000 Ada Generation', 'RTX 2000 Ada', 16, 0.24, 0.23, 0.4, 'AMPERE_16', [8, 2], [6, 31], 'EU-RO-1 H, EUR-NO-1 M, US-IL-1 M', 'LOW'],
  ['NVIDIA RTX 4000 Ada Generation', 'RTX 4000 Ada', 20, 0.26, 0.2, 0.4, 'AMPERE_16', [8, 2], [9, 50], 'EU-RO-1 M, US-IL-1 H', 'LOW'],
  ['NVIDIA RTX A4000', 'RTX A4000', 16, 0.25, 0.17, 0.4, 'AMPERE_16', [8, 8], [6, 25], 'EU-RO-1 M, EU-SE-1 H, CA-MTL-1 M', 'MEDIUM'],
  ['NVIDIA RTX A4500', 'RTX A4500', 20, 0.25, 0.19, 0.4, 'AMPERE_16', [8, 4], [7, 29], 'EU-RO-1 L, EU-SE-1 M', 'LOW'],
  ['NVIDIA RTX A5000', 'RTX A5000', 24, 0.27, 0.16, 0.69, 'AMPERE_24', [8, 8], [9, 25], 'EU-RO-1 M, EU-SE-1 M, CA-MTL-1 H, US-IL-1 L', 'MEDIUM'],
  ['NVIDIA RTX A6000', 'RTX A6000', 48, 0.49, 0.33, 1.22, 'AMPERE_48', [8, 8], [9, 50], 'EU-SE-1 L, EU-RO-1 L, CA-MTL-1 M, US-TX-3 L', 'LOW'],
  ['NVIDIA A40', 'A40', 48, 0.49, 0.35, 1.22, 'AMPERE_48', [10, 4], [9, 50], 'CA-MTL-1 H, EU-SE-1 H, US-KS-2 M', 'LOW'],
  ['NVIDIA L4', 'L4', 24, 0.39, 0, 0.69, 'AMPERE_24', [8, 0], [12, 50], 'EU-RO-1 M, US-IL-1 M, EUR-NO-1 H', 'NONE'],
  ['NVIDIA L40', 'L40', 48, 0.99, 0.69, 1.9, 'ADA_48_PRO', [8, 2], [16, 94], 'EUR-NO-1 L, US-TX-4 L', 'LOW'],
  ['NVIDIA L40S', 'L40S', 48, 0.86, 0.79, 1.9, 'ADA_48_PRO', [8, 4], [16, 94], 'US-KS-2 M, US-TX-4 M, EU-NL-1 L, EUR-NO-1 M', 'LOW'],
  ['NVIDIA RTX 6000 Ada Generation', 'RTX 6000 Ada', 48, 0.77, 0.74, 1.9, 'ADA_48_PRO', [8, 4], [16, 62], 'US-IL-1 M, EU-RO-1 L, US-KS-2 L', 'LOW'],
  ['NVIDIA A100 80GB PCIe', 'A100 PCIe', 80, 1.39, 1.19, 2.72, 'AMPERE_80', [8, 4], [8, 117], 'US-KS-2 M, EU-RO-1 L, CA-MTL-3 L', 'LOW'],
  ['NVIDIA A100-SXM4-80GB', 'A100 SXM', 80, 1.49, 1.39, 2.72, 'AMPERE_80', [8, 4], [16, 117], 'US-KS-2 H, US-MO-1 M, US-MD-1 M, EUR-IS-1 L', 'LOW'],
  ['NVIDIA H100 PCIe', 'H100 PCIe', 80, 2.39, 1.99, 4.18, 'ADA_80_PRO', [8, 2], [16, 176], 'US-KS-2 L, US-TX-3 L, CA-MTL-3 M', 'LOW'],
  ['NVIDIA H100 80GB HBM3', 'H100 SXM', 80, 2.69, 2.59, 4.18, 'ADA_80_PRO', [8, 8], [20, 251], 'US-KS-2 M, US-CA-2 M, EU-FR-1 L, EU-NL-1 M, EUR-IS-1 L, US-GA-2 L, AP-JP-1 L', 'LOW'],
  ['NVIDIA H100 NVL', 'H100 NVL', 94, 2.79, 2.59, 4.18, 'ADA_80_PRO', [8, 2], [16, 94], 'US-GA-1 L, US-KS-2 N', 'NONE'],
  ['NVIDIA H200', 'H200 SXM', 141, 3.59, 3.29, 5.58, 'HOPPER_141', [8, 0], [24, 188], 'US-NC-1 L, US-CA-2 M, EU-FR-1 M, AP-JP-1 L', 'NONE'],
  ['NVIDIA B200', 'B200', 180, 5.98, 0, 8.64, 'BLACKWELL_180', [8, 0], [28, 283], 'US-CA-2 L, US-NE-1 L', 'NONE'],
  ['NVIDIA RTX PRO 6000 Blackwell Server Edition', 'RTX PRO 6000', 96, 1.89, 1.69, 3, 'BLACKWELL_96', [8, 2], [16, 188], 'US-NC-2 M, EU-RO-1 L, US-KS-2 L, EUR-NO-1 L', 'LOW'],
  ['AMD Instinct MI300X OAM', 'MI300X', 192, 2.49, 0, undefined, null, [8, 0], [24, 283], 'EU-RO-1 L', 'NONE'],
];

const BLACKWELL = /RTX 5090|B200|Blackwell/;

export const gpuModels: readonly GpuModel[] = rows.map(
  ([id, name, memory, secure, community, serverless, pool, max, perGpu, stock, communityStock]) => ({
    id,
    name,
    pool,
    manufacturer: id.startsWith('AMD') ? 'AMD' : 'NVIDIA',
    memory,
    secure,
    community,
    serverless,
    maxSecure: max[0],
    maxCommunity: max[1],
    vcpuPerGpu: perGpu[0],
    ramPerGpu: perGpu[1],
    cudaVersions: id.startsWith('AMD') ? [] : BLACKWELL.test(id) ? BLACKWELL_CUDA : CUDA,
    stock: stockOf(stock),
    communityStock,
  }),
);
