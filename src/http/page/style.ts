/** The page's only style sheet; its hash stands in the page's policy. */
export const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3 { line-height: 1.2; margin: 0.5rem 0; }
header p { margin: 0.25rem 0; }
.verdict { font-size: 1.25rem; font-weight: 600; }
.well { color: light-dark(#176b2c, #7bd88f); }
.warning .severity, .verdict.warning { color: light-dark(#8a5300, #ffb454); }
.critical .severity, .verdict.critical { color: light-dark(#b3001b, #ff7b86); }
article { border-left: 0.4rem solid currentColor; padding: 0.25rem 1rem; margin: 1rem 0; }
.severity { text-transform: uppercase; font-size: 0.85em; }
.about, .times { font-weight: normal; opacity: 0.8; }
.summary { font-size: 1.1rem; }
.remedy { font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }
dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 0.2rem 1rem 0.2rem 0; vertical-align: top; }
footer { margin-top: 2rem; }
`;
