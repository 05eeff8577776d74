import { Button, Stack, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useState, type ReactNode, type SubmitEvent } from 'react'
import { useLanguage } from '../language/language'
import { CodeInput } from '../ui/code-input'
import { ErrorNotice } from '../ui/error-notice'
import { Loading } from '../ui/loading'
import { useFields } from '../ui/use-fields'
import { confirmSecondFactor, offerSecondFactor, setFreshCodes } from './queries'
import style from './set-up-second-factor.module.css'

interface Props {
  /** Asked once more, except in signing in. */
  password: string
  /** There is nothing to scan: why. */
  onRefused?: (error: Error) => void
  /** Other things to press. */
  children?: ReactNode
}

/** Scan, write the code, note the recovery codes. */
export function SetUpSecondFactor({ password, onRefused, children }: Props) {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const [code, setCode] = useState('')
  const offer = useQuery({
    queryKey: ['second-factor-offer'], queryFn: () => offerSecondFactor(password), staleTime: Infinity, gcTime: 0, retry: false,
  })
  const confirmation = useMutation({
    mutationFn: () => confirmSecondFactor(code),
    onSuccess: (codes) => setFreshCodes(queries, codes),
    onError: () => setCode(''),
  })

  const refused = useEffectEvent((error: Error) => onRefused?.(error))
  const why = offer.error
  useEffect(() => {
    if (why) refused(why)
  }, [why])
  const { at, rest, send } = useFields({ code: !code.trim() && text.fields.missing }, confirmation.error)

  function submit(event: SubmitEvent) {
    event.preventDefault()
    if (!confirmation.isPending) send(confirmation.mutate)
  }

  if (offer.isPending) return <Loading />
  if (!offer.data) return <Stack gap="md"><ErrorNotice error={offer.error} />{children}</Stack>
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Text size="sm">{text.secondStep.scan}</Text>
        <img className={style.qr} src={offer.data.qr} alt={text.secondStep.qr} width={200} height={200} />
        <Text size="sm">
          {text.secondStep.orKey}
          <code className={style.key} dir="ltr" data-testid="key">{offer.data.secret.match(/.{1,4}/g)?.join(' ')}</code>
        </Text>
        <CodeInput {...at('code')} value={code} onChange={setCode} />
        <ErrorNotice error={rest} />
        <Button type="submit" size="md" loading={confirmation.isPending} data-testid="confirm-factor">{text.secondStep.go}</Button>
        {children}
      </Stack>
    </form>
  )
}
