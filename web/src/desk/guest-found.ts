/** Whom the search of the third person finds. */

export interface Findable {
  name_fa: string
  name_en: string
  active: boolean
  number: string | null
}

const DIGITS = '۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩'

/** Persian and Arabic digits as Latin ones. */
const latin = (text: string) => text.replace(/[۰-۹٠-٩]/g, (digit) => String(DIGITS.indexOf(digit) % 10))

/** No telephone number is shorter; the server says whether it is one. */
const LEAST = 8

/** What was typed, if it can be a telephone number. */
export function typedNumber(wanted: string): string | null {
  const text = latin(wanted).replace(/[\s()-]/g, '')
  return /^\+?\d+$/.test(text) && text.length >= LEAST ? text : null
}

const plain = (text: string) => latin(text).toLocaleLowerCase().replace(/ي/g, 'ی').replace(/ك/g, 'ک').replace(/[\s‌]+/g, ' ').trim()

/** Those that have a telephone, by a part of either name or of that number. */
export function found<T extends Findable>(all: T[], wanted: string): T[] {
  const part = plain(wanted)
  return all.filter(
    ({ active, number, name_fa, name_en }) => active && number && [name_fa, name_en, number].some((text) => plain(text).includes(part)),
  )
}
