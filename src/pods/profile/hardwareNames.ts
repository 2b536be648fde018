/**
 * Names offered while a profile is written, from RunPod's table of GPU types (2026-02) and its pools. For completion only:
 * what can really be rented, the catalog says when the profile is used.
 */
export const GPU_NAMES = [
  'A100 PCIe', 'A100 SXM', 'A30', 'A40', 'B200', 'B300', 'H100 NVL', 'H100 PCIe', 'H100 SXM', 'H200 SXM', 'L4', 'L40', 'L40S', 'MI300X',
  'RTX 2000 Ada', 'RTX 3090', 'RTX 4000 Ada', 'RTX 4090', 'RTX 5090', 'RTX 6000 Ada', 'RTX A4000', 'RTX A4500', 'RTX A5000', 'RTX A6000',
  'RTX PRO 4500', 'RTX PRO 6000',
  'AMPERE_16', 'AMPERE_24', 'ADA_24', 'ADA_32_PRO', 'AMPERE_48', 'ADA_48_PRO', 'AMPERE_80', 'ADA_80_PRO', 'BLACKWELL_96', 'HOPPER_141', 'BLACKWELL_180',
  '≥ 24 GB', '≥ 24 GB under $0.60', '≥ 48 GB', '≥ 80 GB',
] as const;

export const CPU_NAMES = ['cpu3c-2', 'cpu3c-4', 'cpu3c-8', 'cpu3g-2', 'cpu3g-4', 'cpu5c-2', 'cpu5c-4', 'cpu5c-8', 'cpu5g-4', 'cpu5m-4'] as const;

export const DATA_CENTERS = [
  'AP-JP-1', 'CA-MTL-1', 'CA-MTL-3', 'EU-CZ-1', 'EU-FR-1', 'EU-NL-1', 'EU-RO-1', 'EU-SE-1', 'EUR-IS-1', 'EUR-IS-2', 'EUR-IS-3', 'EUR-NO-1',
  'OC-AU-1', 'US-CA-2', 'US-GA-1', 'US-GA-2', 'US-IL-1', 'US-KS-2', 'US-KS-3', 'US-MD-1', 'US-MO-1', 'US-NC-1', 'US-NC-2', 'US-NE-1',
  'US-TX-1', 'US-TX-3', 'US-TX-4', 'US-WA-1',
] as const;
