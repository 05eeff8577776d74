import { useEffect, useState } from 'react'
import { useLanguage } from '../language/language'
import { problemText } from '../language/problem-text'
import { type Lacking, lacks, meant } from './fields'

/**
 * Says beside a form's fields what is missing in them, once it was tried to send it, and what the server refused;
 * the first one of them has the focus then. `rest` is what no field is meant with.
 */
export function useFields(lacking: Lacking, error: unknown) {
  const { text } = useLanguage()
  const [tries, setTries] = useState(0)
  const refused = meant(lacking, error)
  const said = (field: string) => (tries > 0 && lacking[field]) || (field === refused ? problemText(text, error) : null)
  useEffect(() => {
    if (tries || refused) document.querySelector<HTMLElement>('[data-field]:is([aria-invalid="true"], [data-error])')?.focus()
  }, [tries, refused, error])
  return {
    rest: refused ? null : error,
    /** For the input of a field, by the API's name. */
    at: (field: string) => ({ 'data-field': field, error: said(field) }),
    /** Does it, if nothing is missing. */
    send: (act: () => void) => {
      if (lacks(lacking)) setTries(tries + 1)
      else act()
    },
  }
}

export type At = ReturnType<typeof useFields>['at']
