import { Button, Group, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { DISTRICTS } from '../../shared/language/city'
import type { OfficialWithNumber } from '../api/city'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Sheet } from '../ui/sheet'
import { useFields } from '../ui/use-fields'
import { addOfficial, changeOfficial, type OfficialIn, useClips } from './queries'
import cards from '../ui/cards.module.css'

const KINDS = ['mayor', 'deputy', 'district_manager'] as const

interface Props {
  /** The office to change; none for a new one. */
  official: OfficialWithNumber | undefined
  onClose: () => void
}

/** An office: its names, the prompt that says it, its telephone. */
export function OfficialForm({ official, onClose }: Props) {
  const { code, text, format } = useLanguage()
  const words = text.officials
  const queries = useQueryClient()
  const { data: clips = [] } = useClips()
  const [plan, setPlan] = useState<OfficialIn>({
    kind: official?.kind ?? 'deputy', district: official?.district ?? null, office_fa: official?.office_fa ?? '',
    office_en: official?.office_en ?? '', clip: official?.clip ?? '', number: official?.number ?? '',
  })
  const set = (part: Partial<OfficialIn>) => setPlan((before) => ({ ...before, ...part }))
  const { kind, district, ...names } = plan
  const save = useMutation({
    mutationFn: () => (official ? changeOfficial(official.id, names) : addOfficial(plan)),
    onSuccess: async () => {
      await queries.invalidateQueries()
      onClose()
    },
  })
  const { missing, choose } = text.fields
  const { at, rest, send } = useFields({
    district: !official && kind === 'district_manager' ? district === null && choose : undefined,
    office_fa: !names.office_fa.trim() && missing, office_en: !names.office_en.trim() && missing, clip: !names.clip && choose, number: null,
  }, save.error)
  return (
    <Sheet title={official ? words.change : words.add} close={text.dialog.keep} onClose={onClose}>
      <form
        className={cards.form} noValidate data-testid="official-form"
        onSubmit={(event) => {
          event.preventDefault()
          send(save.mutate)
        }}
      >
        {!official && (
          <div className={cards.pair}>
            <NativeSelect
              label={words.form.kind} value={kind} data={KINDS.map((one) => ({ value: one, label: words.oneKind[one] }))} data-testid="kind"
              onChange={(event) => set({ kind: event.currentTarget.value as OfficialIn['kind'], district: null })}
            />
            {kind === 'district_manager' && (
              <NativeSelect
                {...at('district')} label={words.form.district} value={district ?? ''} data-testid="district"
                data={[{ value: '', label: '' }, ...DISTRICTS.map((n) => ({ value: String(n), label: format.number(n) }))]}
                onChange={(event) => set({ district: Number(event.currentTarget.value) || null })}
              />
            )}
          </div>
        )}
        <TextInput
          {...at('office_fa')} label={words.form.fa} value={names.office_fa} maxLength={200} lang="fa" dir="rtl" data-testid="office-fa"
          onChange={(event) => set({ office_fa: event.currentTarget.value })}
        />
        <TextInput
          {...at('office_en')} label={words.form.en} value={names.office_en} maxLength={200} lang="en" dir="ltr" data-testid="office-en"
          onChange={(event) => set({ office_en: event.currentTarget.value })}
        />
        <NativeSelect
          {...at('clip')} label={words.form.clip} description={words.form.clipHelp} value={names.clip} data-testid="clip"
          data={[{ value: '', label: '' }, ...clips.map(({ id, spoken }) => ({ value: id, label: spoken[code] ?? id }))]}
          onChange={(event) => set({ clip: event.currentTarget.value })}
        />
        <TextInput
          {...at('number')} label={words.form.number} description={words.form.numberHelp} value={names.number ?? ''} maxLength={40} dir="ltr" inputMode="tel" data-testid="number"
          onChange={(event) => set({ number: event.currentTarget.value })}
        />
        <ErrorNotice error={rest} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{text.dialog.keep}</Button>
          <Button type="submit" loading={save.isPending} data-testid="save-official">{words.form.save}</Button>
        </Group>
      </form>
    </Sheet>
  )
}
