import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'

/** Our turquoise, where the city has no colour of its own. */
const turquoise: MantineColorsTuple = [
  '#e8f6f6', '#d3eaeb', '#a5d5d7', '#74bfc3', '#4dacb2', '#34a0a7', '#1f8d95', '#0b6f77', '#0b5f66', '#064a50',
]

/** The brick of its bridges, for what ends something. */
const brick: MantineColorsTuple = [
  '#fbeeea', '#f3d9d1', '#e6b3a5', '#d88b77', '#cc6a52', '#c2553a', '#b4462c', '#9c3a23', '#842f1b', '#6b2413',
]

/** For what is soon over. White on its seventh shade is read with ease. */
const amber: MantineColorsTuple = [
  '#fdf6e3', '#fbeed6', '#f5dca9', '#eec878', '#e7b44c', '#d98a1b', '#b06a0c', '#8a5206', '#7a4b05', '#5f3a04',
]

/** What Mantine's parts are made of in a dark room: the surfaces and lines of the tokens. */
const dark: MantineColorsTuple = [
  '#eef2f1', '#c3cecf', '#b0bec0', '#7c9096', '#33444a', '#2a393e', '#202e32', '#1a2629', '#10191b', '#0b1214',
]

export const theme = createTheme({
  primaryColor: 'turquoise',
  primaryShade: 7,
  colors: { turquoise, brick, amber, dark },
  fontFamily: 'var(--font)',
  headings: {
    fontFamily: 'var(--font)', fontWeight: '700',
    sizes: { h1: { fontSize: 'var(--text-xl)' }, h2: { fontSize: 'var(--text-l)' }, h3: { fontSize: 'var(--text-l)' } },
  },
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontSizes: { xs: 'var(--text-s)', sm: 'var(--text-s)', md: 'var(--text-m)', lg: 'var(--text-l)', xl: 'var(--text-l)' },
  respectReducedMotion: true,
  // A dialog's head is no second head of the page.
  components: { ModalHeader: { defaultProps: { role: 'presentation' } }, DrawerHeader: { defaultProps: { role: 'presentation' } } },
})

/** What Mantine's parts are drawn with: the tokens, which know the scheme themselves. */
const fromTokens = {
  '--mantine-color-body': 'var(--paper)',
  '--mantine-color-text': 'var(--ink)',
  '--mantine-color-bright': 'var(--ink)',
  '--mantine-color-dimmed': 'var(--ink-soft)',
  '--mantine-color-placeholder': 'var(--ink-soft)',
  '--mantine-color-anchor': 'var(--accent-ink)',
  '--mantine-color-error': 'var(--danger-ink)',
  '--mantine-color-default': 'var(--paper)',
  '--mantine-color-default-hover': 'var(--paper-soft)',
  '--mantine-color-default-color': 'var(--ink)',
  '--mantine-color-default-border': 'var(--field-edge)',
  '--mantine-color-disabled': 'var(--quiet-soft)',
  '--mantine-color-disabled-color': 'var(--ink-soft)',
  '--mantine-color-disabled-border': 'var(--edge)',
  '--mantine-color-turquoise-filled': 'var(--accent)',
  '--mantine-color-turquoise-filled-hover': 'var(--accent-deep)',
  ...of('turquoise', 'accent'),
  ...of('brick', 'danger'),
  ...of('amber', 'warning'),
  ...of('gray', 'quiet'),
}

function of(color: string, token: string) {
  const name = `--mantine-color-${color}`
  return {
    [`${name}-text`]: `var(--${token}-ink)`,
    [`${name}-light`]: `var(--${token}-soft)`,
    [`${name}-light-hover`]: `var(--${token}-pale)`,
    [`${name}-light-color`]: `var(--${token}-ink)`,
    [`${name}-outline`]: `var(--${token}-line)`,
    [`${name}-outline-hover`]: `var(--${token}-soft)`,
  }
}

export const variables: CSSVariablesResolver = () => ({ variables: {}, light: fromTokens, dark: fromTokens })
