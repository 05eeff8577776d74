import { Button, Checkbox, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { keys } from '../api/keys'
import type { components } from '../api/schema.gen'
import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { departmentName } from '../requests/names'
import { useDepartments } from '../requests/queries'
import { ErrorNotice } from '../ui/error-notice'
import { Loading } from '../ui/loading'
import { Sheet } from '../ui/sheet'
import { found, typedNumber } from './guest-found'
import { askGuest } from './queries'
import style from './guest.module.css'

/** Whom to call: a department that has a telephone, or a number that is typed. */
export function GuestChoice({ callback, onClose }: { callback: Callback; onClose: () => void }) {
  const language = useLanguage()
  const { text, format } = language
  const words = text.guest
  const queries = useQueryClient()
  const { data, isPending, error } = useDepartments()
  const [wanted, setWanted] = useState('')
  const [first, setFirst] = useState(callback.state === 'held')
  const ask = useMutation({
    mutationFn: (guest: components['schemas']['GuestIn']) => askGuest(callback.id, guest, first && callback.state === 'talking'),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: keys.me }),
  })
  const number = typedNumber(wanted)
  const departments = found(data ?? [], wanted)
  const [only, ...others] = departments
  const onEnter = () => {
    if (number) ask.mutate({ number })
    else if (only && others.length === 0) ask.mutate({ department_id: only.id })
  }
  return (
    <Sheet title={words.title} close={words.close} onClose={onClose}>
      <form className={style.form} onSubmit={(event) => { event.preventDefault(); if (!ask.isPending) onEnter() }}>
        <TextInput
          label={words.find} description={words.findHelp} value={wanted} maxLength={40} autoComplete="off" data-autofocus data-testid="guest-find"
          onChange={({ currentTarget: { value } }) => setWanted(value)}
        />
        {callback.state === 'talking'
          ? <Checkbox label={words.first} checked={first} onChange={({ currentTarget: { checked } }) => setFirst(checked)} data-testid="guest-first" />
          : null}
        {(first || callback.state === 'held') && <p className={style.back}>{words.back}</p>}
        <ErrorNotice error={ask.error ?? error} />
        {number && <Button type="submit" loading={ask.isPending} data-testid="guest-call-number">{words.call(format.phone(number))}</Button>}
        {isPending && <Loading />}
        {data && departments.length === 0 && !number && <p>{words.none}</p>}
        <ul className={style.list}>
          {departments.map((one) => (
            <li key={one.id}>
              <Button variant="default" fullWidth justify="space-between" loading={ask.isPending} onClick={() => ask.mutate({ department_id: one.id })} data-testid="guest-department" rightSection={<bdi>{format.phone(one.number ?? '')}</bdi>}>
                {departmentName(language, one)}
              </Button>
            </li>
          ))}
        </ul>
      </form>
    </Sheet>
  )
}
