import type { Availability } from './gpus';

export interface CpuFlavor {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly vcpu: { readonly min: number; readonly max: number };
  readonly ramGbPerVcpu: number;
  /** USD per vCPU-hour. */
  readonly price: { readonly securePerVcpu: number; readonly serverlessPerVcpu: number };
  readonly stock: Readonly<Record<string, Availability>>;
}

const vcpu = { min: 2, max: 32 };
const everywhere: Readonly<Record<string, Availability>> = {
  'EU-RO-1': 'HIGH', 'US-KS-2': 'HIGH', 'US-TX-3': 'MEDIUM', 'EUR-IS-1': 'MEDIUM', 'EU-CZ-1': 'LOW', 'US-IL-1': 'HIGH',
};
const fewer: Readonly<Record<string, Availability>> = { 'EU-RO-1': 'MEDIUM', 'US-KS-2': 'MEDIUM', 'US-IL-1': 'LOW' };

export const cpuFlavors: readonly CpuFlavor[] = [
  { id: 'cpu3c', name: 'Compute-Optimized', group: 'Gen 3', vcpu, ramGbPerVcpu: 2, price: { securePerVcpu: 0.03, serverlessPerVcpu: 0.04 }, stock: everywhere },
  { id: 'cpu3g', name: 'General Purpose', group: 'Gen 3', vcpu, ramGbPerVcpu: 4, price: { securePerVcpu: 0.04, serverlessPerVcpu: 0.05 }, stock: everywhere },
  { id: 'cpu3m', name: 'Memory-Optimized', group: 'Gen 3', vcpu, ramGbPerVcpu: 8, price: { securePerVcpu: 0.05, serverlessPerVcpu: 0.06 }, stock: fewer },
  { id: 'cpu5c', name: 'Compute-Optimized', group: 'Gen 5', vcpu, ramGbPerVcpu: 2, price: { securePerVcpu: 0.035, serverlessPerVcpu: 0.05 }, stock: everywhere },
  { id: 'cpu5g', name: 'General Purpose', group: 'Gen 5', vcpu, ramGbPerVcpu: 4, price: { securePerVcpu: 0.0465, serverlessPerVcpu: 0.06 }, stock: fewer },
  { id: 'cpu5m', name: 'Memory-Optimized', group: 'Gen 5', vcpu, ramGbPerVcpu: 8, price: { securePerVcpu: 0.06, serverlessPerVcpu: 0.07 }, stock: fewer },
];
