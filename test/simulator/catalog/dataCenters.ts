export interface DataCenterEntry {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly country: string;
  readonly globalNetwork: boolean;
  readonly networkVolumeTypes: readonly ('STANDARD' | 'HIGH_PERFORMANCE')[];
  readonly compliance: readonly string[];
}

const GLOBAL_NETWORK = new Set(
  'CA-MTL-3 EU-CZ-1 EU-FR-1 EU-NL-1 EU-RO-1 EU-SE-1 EUR-IS-2 OC-AU-1 US-CA-2 US-GA-1 US-GA-2 US-IL-1 US-KS-2 US-NC-1 US-TX-3 US-TX-4 US-WA-1'.split(' '),
);
const VOLUMES = new Set('EU-CZ-1 EU-RO-1 EUR-IS-1 EUR-NO-1 US-CA-2 US-GA-2 US-IL-1 US-KS-2 US-MD-1 US-MO-1 US-NC-1 US-NC-2 US-NE-1 US-TX-3 CA-MTL-3'.split(' '));
const FAST_VOLUMES = new Set('EU-RO-1 US-KS-2 US-CA-2 US-NC-1'.split(' '));

// prettier-ignore
const places: readonly [id: string, name: string, region: string, compliance: string][] = [
  ['AP-JP-1', 'Japan 1', 'ASIA', 'ISO_IEC_27001'],
  ['CA-MTL-1', 'Montreal 1', 'NORTH_AMERICA', 'RENEWABLE SOC_2_TYPE_2'],
  ['CA-MTL-3', 'Montreal 3', 'NORTH_AMERICA', 'RENEWABLE SOC_2_TYPE_2'],
  ['EU-CZ-1', 'Czech Republic 1', 'EUROPE', 'GDPR ISO_IEC_27001'],
  ['EU-FR-1', 'France 1', 'EUROPE', 'GDPR ISO_IEC_27001 SOC_2_TYPE_2'],
  ['EU-NL-1', 'Netherlands 1', 'EUROPE', 'GDPR ISO_IEC_27001 PCI_DSS'],
  ['EU-RO-1', 'Romania 1', 'EUROPE', 'GDPR ISO_IEC_27001 SOC_2_TYPE_2'],
  ['EU-SE-1', 'Sweden 1', 'EUROPE', 'GDPR RENEWABLE'],
  ['EUR-IS-1', 'Iceland 1', 'EUROPE', 'GDPR RENEWABLE ISO_IEC_27001'],
  ['EUR-NO-1', 'Norway 1', 'EUROPE', 'GDPR RENEWABLE'],
  ['OC-AU-1', 'Australia 1', 'OCEANIA', 'ISO_IEC_27001'],
  ['US-CA-2', 'US California 2', 'NORTH_AMERICA', 'SOC_2_TYPE_2 HIPAA'],
  ['US-GA-1', 'US Georgia 1', 'NORTH_AMERICA', 'SOC_2_TYPE_2'],
  ['US-GA-2', 'US Georgia 2', 'NORTH_AMERICA', 'SOC_2_TYPE_2'],
  ['US-IL-1', 'US Illinois 1', 'NORTH_AMERICA', 'SOC_2_TYPE_2 ISO_IEC_27001'],
  ['US-KS-2', 'US Kansas 2', 'NORTH_AMERICA', 'SOC_2_TYPE_2 ISO_IEC_27001'],
  ['US-MD-1', 'US Maryland 1', 'NORTH_AMERICA', 'SOC_2_TYPE_2'],
  ['US-MO-1', 'US Missouri 1', 'NORTH_AMERICA', 'SOC_2_TYPE_2'],
  ['US-NC-1', 'US North Carolina 1', 'NORTH_AMERICA', 'SOC_2_TYPE_2'],
  ['US-NC-2', 'US North Carolina 2', 'NORTH_AMERICA', 'SOC_2_TYPE_2'],
  ['US-NE-1', 'US Nebraska 1', 'NORTH_AMERICA', 'SOC_2_TYPE_2'],
  ['US-TX-3', 'US Texas 3', 'NORTH_AMERICA', 'SOC_2_TYPE_2 HIPAA'],
  ['US-TX-4', 'US Texas 4', 'NORTH_AMERICA', 'SOC_2_TYPE_2'],
];

export const dataCenters: readonly DataCenterEntry[] = places.map(([id, name, region, compliance]) => {
  const [first = '', second = ''] = id.split('-');
  return {
    id,
    name,
    region,
    // Europe, Asia and Oceania put the country second.
    country: ['EU', 'EUR', 'AP', 'OC'].includes(first) ? second : first,
    globalNetwork: GLOBAL_NETWORK.has(id),
    networkVolumeTypes: VOLUMES.has(id) ? (FAST_VOLUMES.has(id) ? ['STANDARD', 'HIGH_PERFORMANCE'] : ['STANDARD']) : [],
    compliance: compliance.split(' '),
  };
});
