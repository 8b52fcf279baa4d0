/**
 * Tax ids (contracts §1.6). The numbers are those that python-stdnum documents, or were made and normalised by it:
 * Polar's own library, and none of ours.
 */

import { describe, expect, test } from "vitest";
import type { Address } from "../../src/core/directory.ts";
import { LatchkeyError } from "../../src/core/errors.ts";
import { taxIdFor, toTaxId } from "../../src/core/tax-ids.ts";
import { COUNTRIES } from "../../src/polar/countries.ts";

/** Country, as typed, as stored, and the same with a slip that a check digit, or the shape, gives away. */
const EU: [country: string, typed: string, stored: string, slip: string][] = [
  ["AT", "AT U13585627", "ATU13585627", "ATU13585626"],
  ["BE", "BE 0428759497", "BE0428759497", "BE0431150351"],
  ["BG", "BG 175 074 752", "BG175074752", "BG17507475"],
  ["CY", "CY-10259033P", "CY10259033P", "CY10259033Z"],
  ["CZ", "CZ 25123891", "CZ25123891", "CZ25123890"],
  ["DE", "DE 136,695 976", "DE136695976", "DE136695978"],
  ["DK", "DK 13585628", "DK13585628", "DK13585627"],
  ["EE", "EE 100 931 558", "EE100931558", "EE100594103"],
  ["ES", "ES B-58378431", "ESB58378431", "ESB64717839"],
  ["FI", "FI 2077474-0", "FI20774740", "FI20774741"],
  ["FR", "fr 40 303 265 045", "FR40303265045", "FR84323140391"],
  ["GR", "EL 094259216 ", "EL094259216", "EL123456781"],
  ["HR", "HR 33392005961", "HR33392005961", "HR33392005962"],
  ["HU", "HU-12892312", "HU12892312", "HU12892313"],
  ["IE", "IE 6433435OA", "IE6433435OA", "IE6433435E"],
  ["IT", "IT 00743110157", "IT00743110157", "IT00743110158"],
  ["LT", "LT119511515", "LT119511515", "LT100001919018"],
  ["LU", "LU 150 274 42", "LU15027442", "LU15027443"],
  ["LV", "LV 4000 3521 600", "LV40003521600", "LV40003521601"],
  ["MT", "MT 1167-9112", "MT11679112", "MT11679113"],
  ["NL", "NL 4495445B01", "NL004495445B01", "NL123456789B90"],
  ["PL", "PL 8567346215", "PL8567346215", "PL8567346216"],
  ["PT", "PT 501 964 843", "PT501964843", "PT501964842"],
  ["RO", "RO 185 472 90", "RO18547290", "RO18547291"],
  ["SE", "SE 123456789701", "SE123456789701", "SE123456789101"],
  ["SI", "SI 5022 3054", "SI50223054", "SI50223055"],
  ["SK", "SK 202 274 96 19", "SK2022749619", "SK2022749618"],
];

const OTHERS: [country: string, format: string, typed: string, stored: string, slip: string][] = [
  ["AD", "ad_nrt", "U-132950-X", "U132950X", "A123B"],
  ["AE", "ae_trn", "100-1234-5678-9012", "100123456789012", "10012345678901"],
  ["AR", "ar_cuit", "20-05536168-2", "20055361682", "20267565392"],
  ["AU", "au_abn", "83 914 571 673", "83914571673", "99999999999"],
  ["BR", "br_cnpj", "16.727.230/0001-97", "16727230000197", "16727230000198"],
  ["BR", "br_cpf", "390.533.447-05", "39053344705", "23100299900"],
  ["CA", "ca_gst_hst", "123026635 RT 0001", "123026635RT0001", "123026634RT0001"],
  ["CA", "ca_bn", "12302 6635", "123026635", "123456783"],
  ["CH", "ch_uid", "CHE-100.155.212", "CHE100155212", "CHE100155213"],
  ["CH", "ch_uid", "100.155.212", "CHE100155212", "100155213"],
  ["CH", "ch_vat", "CHE-107.787.577 IVA", "CHE107787577IVA", "CHE107787578IVA"],
  ["CL", "cl_tin", "76086428-5", "760864285", "125319093"],
  ["CO", "co_nit", "213.123.432-1", "2131234321", "2131234325"],
  ["CR", "cr_tin", "3-101-999999", "3101999999", "310132541"],
  ["EC", "ec_ruc", "1792060346-001", "1792060346001", "179206034601"],
  ["GB", "gb_vat", "GB 980 7806 84", "980780684", "802311781"],
  ["GB", "gb_vat", "XI 980 7806 84", "980780684", "AB123"],
  ["GE", "ge_vat", "GE 404-567-890", "404567890", "40456789"],
  ["ID", "id_npwp", "01.312.166.0-091.000", "013121660091000", "123456789"],
  ["IL", "il_vat", "3933742-3", "039337423", "39337422"],
  ["IN", "in_gst", "27AAPFU0939F1ZV", "27AAPFU0939F1ZV", "27AAPFU0939F1Z"],
  ["IS", "is_vat", "IS 00621", "00621", "0062199"],
  ["JP", "jp_cn", "5-8356-7825-6246", "5835678256246", "2835678256246"],
  ["KE", "ke_pin", "P051365947M", "P051365947M", "12345"],
  ["KR", "kr_brn", "116-82-00276", "1168200276", "1168200277"],
  ["MK", "mk_vat", "MK4057009501106", "4057009501106", "MK405700950110"],
  ["MU", "mu_tan", "2012 3456", "20123456", "40123456"],
  ["MX", "mx_rfc", "MAB-930714-8T4", "MAB9307148T4", "MAB-93071"],
  ["NO", "no_vat", "NO 995 525 828 MVA", "995525828MVA", "995525829MVA"],
  ["NZ", "nz_gst", "NZ 49-098-576", "49098576", "136410133"],
  ["PE", "pe_ruc", "20512333797", "20512333797", "20512333798"],
  ["RS", "rs_pib", "101134702", "101134702", "101134703"],
  ["SG", "sg_uen", "S16FC0121D", "S16FC0121D", "S16FC012D"],
  ["SV", "sv_nit", "SV 0614-050707-104-8", "06140507071048", "0614050707104"],
  ["TH", "th_vat", "0 10 5 536 11201 4", "0105536112014", "0994000617722"],
  ["TR", "tr_tin", "4540536920", "4540536920", "4540536921"],
  ["TW", "tw_vat", "00501503", "00501503", "12345"],
  ["US", "us_ein", "91-1144442", "911144442", "07-1144442"],
  ["VE", "ve_rif", "V-11470283-4", "V114702834", "V114702833"],
  ["VN", "vn_tin", "0314409058-002", "0314409058002", "12345"],
];

test.each(EU)("%s: %s is the eu_vat %s, and %s is none", (country, typed, stored, slip) => {
  expect(toTaxId(typed, country)).toEqual([stored, "eu_vat"]);
  expect(toTaxId(slip, country)).toBeNull();
});

test.each(OTHERS)("%s: the %s %s is stored as %s, and %s is none", (country, format, typed, stored, slip) => {
  expect(toTaxId(typed, country)).toEqual([stored, format]);
  expect(toTaxId(slip, country)).toBeNull();
});

test("what is stored is valid as it stands, so an address can change without touching the number", () => {
  const stored = [
    ...EU.map(([country, , number]) => [country, number, "eu_vat"]),
    ...OTHERS.map(([country, format, , number]) => [country, number, format]),
  ] as [string, string, string][];
  for (const [country, number, format] of stored) expect(toTaxId(number, country)).toEqual([number, format]);
});

describe("a number of the European Union", () => {
  test("names its country, which need not be the customer's", () => {
    expect(toTaxId("FR 61 954 506 077", "DE")).toEqual(["FR61954506077", "eu_vat"]);
    expect(toTaxId("61954506077", "FR")).toBeNull();
    expect(toTaxId("FR61954506077", "US")).toBeNull();
    expect(toTaxId("US911144442", "FR")).toBeNull();
  });

  test("may be of Northern Ireland, which is no member", () => {
    expect(toTaxId("XI980780684", "IE")).toEqual(["XI980780684", "eu_vat"]);
    expect(toTaxId("GB980780684", "IE")).toBeNull();
  });
});

test("other blanks and dashes separate too, and fullwidth digits are digits", () => {
  expect(toTaxId("\u00a091\u20111144442\t", "US")).toEqual(["911144442", "us_ein"]);
  expect(toTaxId("９１１１４４４４２", "US")).toEqual(["911144442", "us_ein"]);
});

test("countries without formats, and names that mean something to JavaScript, have no tax ids", () => {
  for (const country of ["AQ", "SA", "constructor", "__proto__"]) {
    expect(toTaxId("123456789", country), country).toBeNull();
  }
  expect(toTaxId("__proto__", "DE")).toBeNull();
  expect(toTaxId("", "GB")).toBeNull();
});

test("what has no digits, be it the country's code alone, is no tax id anywhere", () => {
  for (const country of COUNTRIES) {
    for (const text of ["", "-", country, `${country}-`, `${country}!`, "0"]) {
      expect(toTaxId(text, country), `${text} in ${country}`).toBeNull();
    }
  }
});

const address = (country: string): Address => ({
  country,
  line1: null,
  line2: null,
  postal_code: null,
  city: null,
  state: null,
});

const codeOf = (attempt: () => unknown) => {
  try {
    return attempt();
  } catch (error) {
    return error instanceof LatchkeyError ? error.code : error;
  }
};

test("a number needs an address whose country it fits; no number needs nothing", () => {
  expect(taxIdFor("911144442", address("US"))).toEqual(["911144442", "us_ein"]);
  expect(taxIdFor(null, null)).toBeNull();
  expect(codeOf(() => taxIdFor("911144442", null))).toBe("tax_country_required");
  expect(codeOf(() => taxIdFor("911144442", address("FR")))).toBe("tax_id_invalid");
});
