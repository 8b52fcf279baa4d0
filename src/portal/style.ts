/**
 * The portal's one style sheet, and the hash by which its Content-Security-Policy allows it and no other. Whoever
 * changes the style changes the hash: test/portal/response-headers.test.ts says which it has to be.
 */

export const STYLE = `
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; min-height: 100vh; place-items: center; }
main { box-sizing: border-box; width: min(28rem, 100%); padding: 2rem 1.5rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0 0 1rem; }
p, dd, form { margin: 0 0 1rem; }
dt { font-size: .85rem; opacity: .7; }
label { display: block; }
input, button { font: inherit; padding: .5rem 1.25rem; border: 1px solid currentColor; border-radius: .5rem;
  background: none; color: inherit; }
input { box-sizing: border-box; width: 100%; margin: .25rem 0 1rem; }
button { margin: 0 .5rem .5rem 0; cursor: pointer; }
`;

export const STYLE_HASH = "sha256-vBY8bdvC67eVTCAh+BJi7TKl1q0gdSkeBSHnow+Ukno=";
