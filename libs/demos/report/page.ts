import { markup, trusted, type Markup } from './markup.js'
import { reportStyle } from './style.js'

/**
 * A report as one self-contained HTML file: no script, no request to anywhere, light and dark, screen and paper. Pictures of
 * pixels are in it as data.
 */
export function renderPage(title: string, content: readonly Markup[]): string {
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"/>
<link rel="icon" href="data:,"/>
<title>${title}</title>
<style>${trusted(reportStyle)}</style>
</head>
<body>
<main>
${content.map((part) => markup`${part}\n`)}</main>
</body>
</html>
`.text
}
