/** Clauses of standards that a group of checks belongs to. "Maps to" never means "complies with". */
export interface Mapping {
  readonly owasp: readonly string[];
  readonly 'pci-dss-4.0.1': readonly string[];
  readonly hipaa: readonly string[];
  readonly soc2: readonly string[];
  readonly gdpr: readonly string[];
  readonly 'iso-27001-2022': readonly string[];
  readonly 'nist-800-53r5': readonly string[];
  /** Colombia, Ley 1581 of 2012: article 4(g) security, 4(h) confidentiality, 17(d) the controller's duty to keep data secure. */
  readonly 'ley-1581': readonly string[];
}

export type Standard = keyof Mapping;

export const standards: Readonly<Record<Standard, string>> = {
  owasp: 'OWASP Top 10:2025 and ASVS 5.0',
  'pci-dss-4.0.1': 'PCI DSS 4.0.1',
  hipaa: 'HIPAA 45 CFR 164',
  soc2: 'SOC 2 Trust Services Criteria',
  gdpr: 'GDPR',
  'iso-27001-2022': 'ISO/IEC 27001:2022',
  'nist-800-53r5': 'NIST SP 800-53 rev. 5',
  'ley-1581': 'Ley 1581 of 2012 (Colombia)',
};

/** Where the text of each standard is to be had; the numbers were compared with these editions. */
export const standardSources: Readonly<Record<Standard, readonly string[]>> = {
  owasp: ['https://owasp.org/Top10/2025/', 'https://github.com/OWASP/ASVS/tree/v5.0.0/5.0/en'],
  'pci-dss-4.0.1': ['https://www.pcisecuritystandards.org/document_library/'],
  hipaa: ['https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164'],
  soc2: [
    'https://www.aicpa-cima.com/resources/download/2017-trust-services-criteria-with-revised-points-of-focus-2022',
  ],
  gdpr: ['https://eur-lex.europa.eu/eli/reg/2016/679/oj'],
  'iso-27001-2022': ['https://www.iso.org/standard/27001'],
  'nist-800-53r5': ['https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final'],
  'ley-1581': ['https://www.funcionpublica.gov.co/eva/gestornormativo/norma.php?i=49981'],
};

/** What a clause says that its number alone hides; printed beside it. */
export const clauseNotes: Readonly<Partial<Record<Standard, Readonly<Record<string, string>>>>> = {
  'pci-dss-4.0.1': {
    '4.2.1': 'asks for it on open, public networks',
    '8.3.6': 'twelve characters, of accounts of people',
    '12.10.1': 'the plan itself is written by people',
  },
  hipaa: { '164.308(a)(7)': 'the plan itself is written by people' },
};

function mapping(
  owasp: string,
  pci: string,
  hipaa: string,
  soc2: string,
  gdpr: string,
  iso: string,
  nist: string,
  ley1581 = 'Art. 4(g), Art. 17(d)',
): Mapping {
  const list = (text: string): string[] => text.split(', ').filter((item) => item !== '');
  return {
    owasp: list(owasp),
    'pci-dss-4.0.1': list(pci),
    hipaa: list(hipaa).map((clause) => `164.${clause}`),
    soc2: list(soc2),
    gdpr: list(gdpr).map((article) => `Art. ${article}`),
    'iso-27001-2022': list(iso),
    'nist-800-53r5': list(nist),
    'ley-1581': list(ley1581),
  };
}

export const mappings = {
  AUTHN: mapping(
    'A07:2025, ASVS 13.2.1',
    '2.2.2, 8.2.1, 8.3.1, 8.6.1',
    '312(a)(1), 312(d)',
    'CC6.1',
    '32(1)(b)',
    'A.5.17, A.8.5',
    'IA-2, IA-5(1), AC-3',
  ),
  PWD: mapping(
    'A07:2025, ASVS 13.2.3, ASVS 13.3.1, ASVS 13.3.4',
    '8.3.2, 8.3.6, 8.6.2, 8.6.3',
    '312(d)',
    'CC6.1',
    '32(1)(b)',
    'A.5.17',
    'IA-5(1), IA-5(7)',
  ),
  AUTHZ: mapping(
    'A01:2025, ASVS 13.2.2',
    '7.2.1, 7.2.2, 7.2.5, 7.3.3',
    '312(a)(1)',
    'CC6.1, CC6.3',
    '32(1)(b), 25',
    'A.5.15, A.5.18, A.8.2, A.8.3',
    'AC-2, AC-3, AC-6',
    'Art. 4(f), Art. 4(g), Art. 17(d)',
  ),
  NET: mapping(
    'A02:2025',
    '1.3.1, 1.3.2, 1.4.2, 1.4.4',
    '312(e)(1)',
    'CC6.6',
    '32(1)(b)',
    'A.8.20, A.8.22',
    'SC-7, AC-4, CM-7',
    'Art. 4(f), Art. 4(g), Art. 17(d)',
  ),
  TLS: mapping(
    'A04:2025, ASVS 12.1.1, ASVS 12.1.2, ASVS 12.3.1',
    '2.2.7, 4.2.1',
    '312(e)(1), 312(e)(2)(ii)',
    'CC6.7',
    '32(1)(a)',
    'A.8.20, A.8.24',
    'SC-8, SC-8(1), SC-13',
    'Art. 4(g), Art. 4(h), Art. 17(d)',
  ),
  PKI: mapping(
    'A04:2025, ASVS 12.1.3, ASVS 12.3.2, ASVS 12.3.4',
    '4.2.1.1, 12.3.3',
    '312(e)(2)(i)',
    'CC6.1, CC6.7',
    '32(1)(a)',
    'A.8.24',
    'SC-12, SC-17, IA-5(2)',
  ),
  CFG: mapping(
    'A02:2025, ASVS 13.4.2',
    '2.2.1, 2.2.4, 2.2.6',
    '308(a)(1)(ii)(B)',
    'CC6.8, CC7.1, CC8.1',
    '32(1)(b)',
    'A.8.9',
    'CM-2, CM-6, CM-7',
  ),
  VULN: mapping(
    'A03:2025, ASVS 15.2.1',
    '6.3.1, 6.3.3, 11.3.1',
    '308(a)(1)(ii)(A)',
    'CC7.1',
    '32(1)(d)',
    'A.8.8',
    'SI-2, RA-5',
  ),
  LOG: mapping(
    'A09:2025, ASVS 16.2.2, ASVS 16.3.1, ASVS 16.3.2, ASVS 16.4.3',
    '10.2.1, 10.2.1.2, 10.2.1.4, 10.2.1.5, 10.3.3, 10.4.1.1',
    '312(b), 308(a)(5)(ii)(C)',
    'CC7.2, CC7.3',
    '32(1)(d), 33',
    'A.8.15, A.8.16',
    'AU-2, AU-3, AU-6, AU-9, SI-4',
    'Art. 4(g), Art. 17(n)',
  ),
  FILE: mapping(
    'A01:2025, ASVS 13.3.2',
    '7.2.1, 10.3.1',
    '312(a)(2)(iv), 312(c)(1)',
    'CC6.1, CC6.7',
    '32(1)(a)',
    'A.8.3, A.8.10, A.8.24',
    'AC-3, AC-6, SC-28',
    'Art. 4(g), Art. 4(h), Art. 17(d)',
  ),
  BKP: mapping(
    '',
    '12.10.1',
    '308(a)(7)(ii)(A), 312(c)(1)',
    'A1.2, A1.3',
    '32(1)(c)',
    'A.8.13, A.8.14',
    'CP-9, CP-9(8), CP-10',
  ),
  AVAIL: mapping(
    'A06:2025, ASVS 13.1.2',
    '12.10.1',
    '308(a)(7)',
    'A1.1, A1.2',
    '32(1)(b), 32(1)(c)',
    'A.8.6, A.8.14',
    'SC-5, CP-2, AU-4',
  ),
  CLIENT: mapping(
    'A02:2025, A04:2025, A07:2025, ASVS 12.3.1, ASVS 12.3.2, ASVS 13.2.6, ASVS 13.3.1',
    '4.2.1, 6.2.4, 8.6.2',
    '312(d), 312(e)(1)',
    'CC6.1, CC6.7',
    '32(1)(a)',
    'A.8.24, A.8.28, A.5.17',
    'SC-8, SC-23, IA-5(7), SA-8',
  ),
  CTR: mapping(
    'A02:2025',
    '2.2.1, 2.2.6',
    '308(a)(1)(ii)(B)',
    'CC6.8, CC7.1',
    '32(1)(b)',
    'A.8.9, A.8.19',
    'CM-6, CM-7, AC-6, SC-39',
  ),
  INT: mapping(
    'A08:2025',
    '10.3.4, 11.5.2',
    '312(c)(1), 312(c)(2)',
    'CC6.8, CC7.1',
    '32(1)(b)',
    'A.8.19, A.8.32',
    'SI-7, CM-3, CM-5',
  ),
} as const satisfies Record<string, Mapping>;

export type MappingProfile = keyof typeof mappings;
