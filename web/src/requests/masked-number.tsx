import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Num } from '../ui/number'
import style from './masked-number.module.css'

export type Of = components['schemas']['Of']

interface Props {
  /** By what the citizen is found. */
  of: Of
  id: number
  number: string
  /** There is more of it to be shown, and the person may see it. */
  masked: boolean
}

/** A citizen’s telephone number, as much of it as may stand there; the whole one is shown to whoever asks, and the audit log has who. */
export function MaskedNumber({ of, id, number, masked }: Props) {
  const { text, format } = useLanguage()
  const shown = useMutation({
    mutationFn: async () => (await body(client.POST('/api/v1/citizens/{of}/{id_}/number', { params: { path: { of, id_: id } } }))).number,
  })
  return (
    <>
      <Num data-testid="citizen-number">{format.phone(shown.data ?? number)}</Num>
      {masked && !shown.data && (
        <span className={style.show}>
          <Button variant="default" size="compact-sm" loading={shown.isPending} onClick={() => shown.mutate()} data-testid="show-number">
            {text.citizens.showNumber}
          </Button>
          <small>{text.citizens.recorded}</small>
        </span>
      )}
      <ErrorNotice error={shown.error} />
    </>
  )
}
