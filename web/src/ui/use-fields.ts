import { useEffect, useId, useState } from 'react'
import { useLanguage } from '../language/language'
import { problemText } from '../language/problem-text'
import { type Lacking, lacks, meant } from './fields'

/**
 * Says beside a form's fields what is missing in them, once it was tried to send it, and what the server refused;
 * the first one of them has the focus then. `rest` is what no field is meant with.
 */
export function useFields(lacking: Lacking, error: unknown) {
  const { text } = useLanguage()
  const form = useId()
  const [tried, setTried] = useState<{ times: number; error: unknown }>({ times: 0, error: null })
  const field = meant(lacking, error)
  // Of what is missing by now, though it was there when the server refused it, that alone is said.
  const refused = error === tried.error ? null : field
  const said = (name: string) => (name === refused ? problemText(text, error) : (tried.times > 0 && lacking[name]) || null)
  useEffect(() => {
    if (tried.times || refused) document.querySelector<HTMLElement>(`[data-form="${form}"]:is([aria-invalid="true"], [data-error])`)?.focus()
  }, [form, tried, refused, error])
  return {
    rest: field ? null : error,
    /** For the input of a field, by the API's name. */
    at: (name: string) => ({ 'data-form': form, 'data-field': name, error: said(name) }),
    /** Does it, if nothing is missing. */
    send: (act: () => void) => {
      if (lacks(lacking)) setTried({ times: tried.times + 1, error })
      else act()
    },
  }
}

export type At = ReturnType<typeof useFields>['at']
