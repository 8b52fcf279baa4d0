/**
 * Tax ids: which formats a country has, and whether a number is of one of them. The formats have Stripe's names, which
 * customers know from their invoices. Check digits are stdnum's business, module by module: the whole of it would weigh
 * 56 KB.
 */

import { validate as cuit } from "stdnum/lib/esm/ar/cuit";
import { validate as at } from "stdnum/lib/esm/at/uid";
import { validate as abn } from "stdnum/lib/esm/au/abn";
import { validate as be } from "stdnum/lib/esm/be/vat";
import { validate as cnpj } from "stdnum/lib/esm/br/cnpj";
import { validate as cpf } from "stdnum/lib/esm/br/cpf";
import { validate as businessNumber } from "stdnum/lib/esm/ca/bn";
import { validate as gst } from "stdnum/lib/esm/ca/gst";
import { validate as uid } from "stdnum/lib/esm/ch/uid";
import { validate as chVat } from "stdnum/lib/esm/ch/vat";
import { validate as rut } from "stdnum/lib/esm/cl/rut";
import { validate as nit } from "stdnum/lib/esm/co/nit";
import { validate as cy } from "stdnum/lib/esm/cy/vat";
import { validate as cz } from "stdnum/lib/esm/cz/dic";
import { validate as de } from "stdnum/lib/esm/de/vat";
import { validate as dk } from "stdnum/lib/esm/dk/cvr";
import { validate as ee } from "stdnum/lib/esm/ee/kmkr";
import { validate as es } from "stdnum/lib/esm/es/nif";
import { validate as fi } from "stdnum/lib/esm/fi/alv";
import { validate as fr } from "stdnum/lib/esm/fr/tva";
import { validate as gb } from "stdnum/lib/esm/gb/vat";
import { validate as gr } from "stdnum/lib/esm/gr/vat";
import { validate as hr } from "stdnum/lib/esm/hr/oib";
import { validate as hu } from "stdnum/lib/esm/hu/anum";
import { validate as ie } from "stdnum/lib/esm/ie/vat";
import { validate as idnr } from "stdnum/lib/esm/il/idnr";
import { validate as it } from "stdnum/lib/esm/it/iva";
import { validate as corporateNumber } from "stdnum/lib/esm/jp/cn";
import { validate as brn } from "stdnum/lib/esm/kr/brn";
import { validate as lt } from "stdnum/lib/esm/lt/pvm";
import { validate as lu } from "stdnum/lib/esm/lu/tva";
import { validate as lv } from "stdnum/lib/esm/lv/pvn";
import { validate as mt } from "stdnum/lib/esm/mt/vat";
import { validate as nl } from "stdnum/lib/esm/nl/btw";
import { validate as mva } from "stdnum/lib/esm/no/mva";
import { validate as ird } from "stdnum/lib/esm/nz/ird";
import { validate as ruc } from "stdnum/lib/esm/pe/ruc";
import { validate as pl } from "stdnum/lib/esm/pl/nip";
import { validate as pt } from "stdnum/lib/esm/pt/nif";
import { validate as ro } from "stdnum/lib/esm/ro/cui";
import { validate as pib } from "stdnum/lib/esm/rs/pib";
import { validate as se } from "stdnum/lib/esm/se/vat";
import { validate as si } from "stdnum/lib/esm/si/ddv";
import { validate as sk } from "stdnum/lib/esm/sk/dph";
import { validate as moa } from "stdnum/lib/esm/th/moa";
import { validate as vkn } from "stdnum/lib/esm/tr/vkn";
import { validate as ein } from "stdnum/lib/esm/us/ein";
import { validate as rif } from "stdnum/lib/esm/ve/rif";
import type { Address, TaxId } from "./directory.ts";
import { LatchkeyError } from "./errors.ts";

/** Answers the number as it is stored, or null. It is given in capitals and without separators. */
type Check = (number: string) => string | null;
type Validate = typeof ein;

/** Some of stdnum's checks throw where there is no digit to look at: the Dutch one for "NL". */
const checked =
  (validate: Validate): Check =>
  (number) => {
    try {
      const verdict = validate(number);
      return verdict.isValid ? verdict.compact : null;
    } catch {
      return null;
    }
  };

/** Where stdnum has no check, or one that refuses numbers that are in use. The country's code may stand before it. */
const shaped =
  (country: string, shape: RegExp): Check =>
  (number) => {
    const bare = number.startsWith(country) ? number.slice(country.length) : number;
    return shape.test(bare) ? bare : null;
  };

/** Certificates of government departments and health authorities are the only short ones. */
const gbVat: Check = (number) =>
  /\d{9}$|(GD|HA)\d{3}$/.test(number) ? checked(gb)(number.replace(/^XI/, "GB")) : null;

const EU: Record<string, Check> = {
  AT: checked(at),
  BE: checked(be),
  // stdnum knows no Bulgarian company that was founded before 2000.
  BG: shaped("BG", /^\d{9,10}$/),
  CY: checked(cy),
  CZ: checked(cz),
  DE: checked(de),
  DK: checked(dk),
  EE: checked(ee),
  EL: checked(gr),
  ES: checked(es),
  FI: checked(fi),
  FR: checked(fr),
  GR: checked(gr),
  HR: checked(hr),
  HU: checked(hu),
  IE: checked(ie),
  IT: checked(it),
  LT: checked(lt),
  LU: checked(lu),
  LV: checked(lv),
  MT: checked(mt),
  NL: checked(nl),
  PL: checked(pl),
  PT: checked(pt),
  RO: checked(ro),
  SE: checked(se),
  SI: checked(si),
  SK: checked(sk),
  XI: gbVat,
};

/** Numbers name their country, which need not be the customer's: a company may be registered in several. */
const euVat: Check = (number) => {
  const country = number.slice(0, 2);
  const bare = EU[country]?.(number) ?? null;
  return bare && country + bare;
};

/** Tried in this order; the first that fits gives the number its format. */
const FORMATS: Record<string, Record<string, Check>> = {
  ...Object.fromEntries(Object.keys(EU).map((country) => [country, { eu_vat: euVat }])),
  AD: { ad_nrt: shaped("AD", /^[A-Z]\d{6}[A-Z]$/) },
  AE: { ae_trn: shaped("AE", /^\d{15}$/) },
  AR: { ar_cuit: checked(cuit) },
  AU: { au_abn: checked(abn) },
  BR: { br_cnpj: checked(cnpj), br_cpf: checked(cpf) },
  CA: { ca_gst_hst: checked(gst), ca_bn: checked(businessNumber) },
  CH: { ch_uid: (number) => checked(uid)(number.replace(/^(?=\d)/, "CHE")), ch_vat: checked(chVat) },
  CL: { cl_tin: checked(rut) },
  CO: { co_nit: checked(nit) },
  CR: { cr_tin: shaped("CR", /^[2-5]\d{9}$/) },
  EC: { ec_ruc: shaped("EC", /^([01]\d|2[0-4]|[35]0)\d{11}$/) },
  GB: { gb_vat: gbVat },
  GE: { ge_vat: shaped("GE", /^\d{9}(\d\d)?$/) },
  ID: { id_npwp: shaped("ID", /^\d{15,16}$/) },
  // Not from nothing: nine zeros have the right check digit.
  IL: { il_vat: (number) => (/^0*$/.test(number) ? null : checked(idnr)(number.padStart(9, "0"))) },
  IN: { in_gst: shaped("IN", /^\d{2}[A-Z]{5}\d{4}[A-Z][A-Z\d]{3}$/) },
  IS: { is_vat: shaped("IS", /^\d{5,6}$/) },
  JP: { jp_cn: checked(corporateNumber) },
  KE: { ke_pin: shaped("KE", /^[AP]\d{9}[A-Z]$/) },
  KR: { kr_brn: checked(brn) },
  MK: { mk_vat: shaped("MK", /^\d{13}$/) },
  MU: { mu_tan: shaped("MU", /^[23]\d{7}$/) },
  MX: { mx_rfc: shaped("MX", /^([A-Z&Ñ]{3,4}\d{6}[A-Z\d]{3}|[A-Z&Ñ]{4}\d{6})$/) },
  NO: { no_vat: checked(mva) },
  NZ: { nz_gst: checked(ird) },
  PE: { pe_ruc: checked(ruc) },
  RS: { rs_pib: checked(pib) },
  SG: { sg_uen: shaped("SG", /^(\d{8,9}|[RST]\d{2}[A-Z]{2}\d{4})[A-Z]$/) },
  SV: { sv_nit: shaped("SV", /^\d{14}$/) },
  TH: { th_vat: checked(moa) },
  TR: { tr_tin: checked(vkn) },
  TW: { tw_vat: shaped("TW", /^\d{8}$/) },
  US: { us_ein: checked(ein) },
  VE: { ve_rif: checked(rif) },
  VN: { vn_tin: shaped("VN", /^\d{10}(\d{3})?$/) },
};

/**
 * The tax id that a customer with this address has by this number, which may also be one that was normalised before.
 * @throws {LatchkeyError} tax_country_required, tax_id_invalid
 */
export function taxIdFor(number: string | null, address: Address | null): TaxId | null {
  if (number === null) return null;
  if (address === null) throw new LatchkeyError("tax_country_required");
  const taxId = toTaxId(number, address.country);
  if (taxId === null) throw new LatchkeyError("tax_id_invalid", { facts: { requested: number } });
  return taxId;
}

/** null where the number fits none of the country's formats, or where none is known. */
export function toTaxId(number: string, country: string): TaxId | null {
  const compact = number.toUpperCase().replace(/[\s\p{Pd}./]/gu, "");
  for (const [format, check] of Object.entries(FORMATS[country] ?? {})) {
    const normalised = check(compact);
    if (normalised !== null) return [normalised, format];
  }
  return null;
}
