/** The ground in the house's colours; what lies on it is in the page's own, which are the city's. */
const LIGHT = {
  land: '#f5f3ee', green: '#dfe9d8', water: '#bfdcdf', building: '#e8e3d8', road: '#ffffff', edge: '#d8d2c4', rail: '#b9b3a6',
  ink: '#1f2a2c',
}
const DARK: typeof LIGHT = {
  land: '#10191b', green: '#152621', water: '#14353a', building: '#1c282b', road: '#33444a', edge: '#202e32', rail: '#4a5c62',
  ink: '#eef2f1',
}

export type Colours = typeof LIGHT & { accent: string; danger: string; paper: string }

const wide = () => matchMedia('(prefers-color-scheme: dark)')

/** Of the page as it is now: the staff's pages say which room they are in, the others follow the system. */
export function coloursOf(page: HTMLElement): Colours {
  const scheme = document.documentElement.dataset.mantineColorScheme ?? (wide().matches ? 'dark' : 'light')
  const own = getComputedStyle(page)
  const token = (name: string, otherwise: string) => own.getPropertyValue(name).trim() || otherwise
  return {
    ...(scheme === 'dark' ? DARK : LIGHT),
    accent: token('--accent-line', '#0b6f77'), danger: token('--danger-line', '#b4462c'), paper: token('--paper', '#ffffff'),
  }
}

/** Calls when the room gets dark or light; returns how to end it. */
export function watchColours(changed: () => void): () => void {
  const system = wide()
  const page = new MutationObserver(changed)
  system.addEventListener('change', changed)
  page.observe(document.documentElement, { attributeFilter: ['data-mantine-color-scheme'] })
  return () => {
    system.removeEventListener('change', changed)
    page.disconnect()
  }
}
