import { localStorageColorSchemeManager } from '@mantine/core'

/** Light, dark, or as the system is: kept by this browser, and read before the first paint by public/assets/scheme.js. */
export const SCHEME = localStorageColorSchemeManager({ key: 'hotline137.scheme' })
