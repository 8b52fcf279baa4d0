/** The errors of searches. Members and organizations have each their own names for the same thing. */

const NO_FILTER_NAME = [400, "An operand lacks its filter_name."] as const;
const FILTER_NAME_NOT_TEXT = [400, "A filter_name must be a string."] as const;
const NO_SUCH_FILTER = [400, "There is no filter of this name."] as const;
const NO_FILTER_VALUE = [400, "An operand lacks its filter_value."] as const;
const NOT_TEXT = [400, "The filter_value must be a string."] as const;
const NOT_TEXTS = [400, "The filter_value must be an array of strings."] as const;
const NOT_BOOLEAN = [400, "The filter_value must be a boolean."] as const;
const TOO_SHORT = [400, "The filter_value must have at least three characters."] as const;

export const SEARCH_ERRORS = {
  search_invalid_status_filter: [400, "A status is one of active, pending, invited and deleted."],

  member_search_missing_filter_name: NO_FILTER_NAME,
  member_search_filter_name_must_be_string: FILTER_NAME_NOT_TEXT,
  member_search_filter_name_not_recognized: NO_SUCH_FILTER,
  member_search_missing_filter_value: NO_FILTER_VALUE,
  member_search_expected_string: NOT_TEXT,
  member_search_expected_array_of_strings: NOT_TEXTS,
  member_search_expected_boolean: NOT_BOOLEAN,
  member_search_member_email_fuzzy_too_short: TOO_SHORT,
  member_search_member_mfa_phone_number_fuzzy_too_short: TOO_SHORT,
  member_search_organization_ids_empty: [400, "At least one organization_id is required."],

  organization_search_missing_filter_name: NO_FILTER_NAME,
  organization_search_filter_name_must_be_string: FILTER_NAME_NOT_TEXT,
  organization_search_filter_name_not_recognized: NO_SUCH_FILTER,
  organization_search_missing_filter_value: NO_FILTER_VALUE,
  organization_search_expected_string: NOT_TEXT,
  organization_search_expected_array_of_strings: NOT_TEXTS,
  organization_search_expected_boolean: NOT_BOOLEAN,
  organization_search_organization_name_fuzzy_too_short: TOO_SHORT,
  organization_search_organization_slug_fuzzy_too_short: TOO_SHORT,
  organization_search_member_email_fuzzy_too_short: TOO_SHORT,
  organization_search_allowed_domain_fuzzy_too_short: TOO_SHORT,
} as const satisfies Record<string, readonly [status: number, message: string]>;
