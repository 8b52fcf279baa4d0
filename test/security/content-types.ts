/** What a body may be said to be that is JSON nevertheless: content types that are not JSON's. */

export const CONTENT_TYPES = [
  "",
  "text/plain",
  "text/json",
  "application/x-www-form-urlencoded",
  "multipart/form-data",
  "multipart/form-data; boundary=b",
  "application/octet-stream",
  "application/jsonp",
  "application/javascript",
  "application/xml",
  "nonsense",
  "application/json, text/plain",
];
