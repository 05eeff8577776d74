import { Button } from '@mantine/core'
import { useContext } from 'react'
import { LanguageContext } from '../language/language'

/** To the other language, at once and without leaving the page. */
export function LanguageSwitch() {
  const [{ code, text }, change] = useContext(LanguageContext)
  const other = code === 'fa' ? 'en' : 'fa'
  return (
    <Button variant="subtle" px="xs" c="var(--ink-soft)" color="gray" lang={other} data-testid="language" onClick={() => change(other)}>
      {text.language}
    </Button>
  )
}
