import { Button, Checkbox, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { components } from '../../shared/api/schema.gen'
import { keys } from '../api/keys'
import { useMe } from '../api/session'
import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Loading } from '../ui/loading'
import { Sheet } from '../ui/sheet'
import { useFields } from '../ui/use-fields'
import { found, typedNumber } from './guest-found'
import { askGuest } from './queries'
import { useCallable } from './use-callable'
import style from './guest.module.css'

/** Whom to call: a department or another official that has a telephone, or a number that is typed. */
export function GuestChoice({ callback, onClose }: { callback: Callback; onClose: () => void }) {
  const language = useLanguage()
  const { text, format } = language
  const words = text.guest
  const queries = useQueryClient()
  const { data: me } = useMe()
  const { data, error } = useCallable()
  const [wanted, setWanted] = useState('')
  const [first, setFirst] = useState(callback.state === 'held')
  const ask = useMutation({
    mutationFn: (guest: components['schemas']['GuestIn']) => askGuest(callback.id, guest, first && callback.state === 'talking'),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: keys.me }),
  })
  const number = typedNumber(wanted)
  const { at, rest } = useFields({ number: null }, ask.error)
  const callable = found(data ?? [], wanted).filter(({ official_id }) => official_id === null || official_id !== me?.official_id)
  const [only, ...others] = callable
  const call = ({ department_id, official_id }: NonNullable<typeof only>) => ask.mutate({ department_id, official_id })
  const onEnter = () => {
    if (number) ask.mutate({ number })
    else if (only && others.length === 0) call(only)
  }
  return (
    <Sheet beside title={words.title} close={words.close} onClose={onClose}>
      <form className={style.form} onSubmit={(event) => { event.preventDefault(); if (!ask.isPending) onEnter() }}>
        <TextInput
          {...at('number')} label={words.find} description={words.findHelp} value={wanted} maxLength={40} autoComplete="off" data-autofocus data-testid="guest-find"
          onChange={({ currentTarget: { value } }) => setWanted(value)}
        />
        {callback.state === 'talking'
          ? <Checkbox label={words.first} checked={first} onChange={({ currentTarget: { checked } }) => setFirst(checked)} data-testid="guest-first" />
          : null}
        {(first || callback.state === 'held') && <p className={style.back}>{words.back}</p>}
        <ErrorNotice error={rest ?? error} />
        {number && <Button type="submit" loading={ask.isPending} data-testid="guest-call-number">{words.call(format.phone(number))}</Button>}
        {!data && !error && <Loading />}
        {data && callable.length === 0 && !number && <p>{words.none}</p>}
        <ul className={style.list}>
          {callable.map((one) => (
            <li key={`${String(one.department_id)} ${String(one.official_id)}`}>
              <Button variant="default" fullWidth justify="space-between" classNames={{ root: style.one, label: style.name, section: style.number }} loading={ask.isPending} onClick={() => call(one)} data-testid="guest-found" rightSection={<bdi>{format.phone(one.number ?? '')}</bdi>}>
                {language.name(one)}
              </Button>
            </li>
          ))}
        </ul>
      </form>
    </Sheet>
  )
}
