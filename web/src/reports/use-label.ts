import { useLanguage } from '../language/language'
import type { By, Row } from './queries'

/** How a row of a report is called. */
export function useLabel(by: By): (row: Row) => string {
  const { text, format, office } = useLanguage()
  const words = text.reports
  const named = ({ name_fa, name_en }: Row) => office({ office_fa: name_fa ?? '', office_en: name_en ?? '' })
  return (row) => {
    switch (by) {
      case 'week':
        return words.week(format.day(`${row.week}T08:00:00Z`))
      case 'round':
        return row.starts_at ? `${named(row)}${text.comma}${format.day(row.starts_at)}` : named(row)
      case 'official':
        return named(row)
      case 'district':
        return row.district ? words.district(format.number(row.district)) : words.wholeCity
      case 'subject':
        return row.subject ? named(row) : text.noSubject
    }
  }
}
