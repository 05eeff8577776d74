/** The languages of every page. */
export type Code = 'fa' | 'en'

/** The calendar and the digits of each language. */
export const LOCALES: Record<Code, string> = { fa: 'fa-IR-u-ca-persian', en: 'en-GB' }

/** The zone of the city's clock. */
export const CITY_ZONE = 'Asia/Tehran'
