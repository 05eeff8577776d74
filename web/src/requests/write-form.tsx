import { Button, Group, NativeSelect, Stack, Text, Textarea } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'wouter'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useSubject } from '../ui/use-subject'
import { Sheet } from '../ui/sheet'
import { CATEGORIES, DISTRICTS } from './names'
import { type RequestIn, useRequestAction, writeRequest } from './queries'
import { newReferral, ReferFields, toRefer } from './refer-form'
import style from './requests.module.css'

interface Props {
  /** Whose problem it is, when a desk speaks with them. */
  registration?: { id: number; subject: number | null }
  onClose: () => void
}

/** Writes a citizen's problem down, and refers it at once where that is wanted. */
export function WriteForm({ registration, onClose }: Props) {
  const { text, format } = useLanguage()
  const subject = useSubject()
  const words = text.requests
  const [written, setWritten] = useState('')
  const [category, setCategory] = useState(registration?.subject ? String(registration.subject) : '')
  const [district, setDistrict] = useState('')
  const [referral, setReferral] = useState(newReferral)
  const write = useRequestAction((request: RequestIn) => writeRequest(request))
  const done = write.data?.request

  const save = () =>
    write.mutate({
      written: written.trim(), category: Number(category), district: district ? Number(district) : null, language: 'fa',
      registration_id: registration?.id ?? null, refer: toRefer(referral),
    })

  return (
    <Sheet title={words.write} close={words.keep} onClose={onClose}>
      {done ? (
        <Stack role="status" data-testid="wrote">
          <Text>{words.wrote(format.ticket(done.tracking))}</Text>
          <Group justify="flex-end">
            <Link href={`/requests/${done.id}`} target="_blank">{words.open}</Link>
            <Button onClick={onClose} data-autofocus>{words.close}</Button>
          </Group>
        </Stack>
      ) : (
        <div className={style.form} data-testid="write-form">
          <Textarea
            label={words.written} description={words.writtenHelp} value={written} maxLength={2000} autosize minRows={3} data-autofocus
            data-testid="written" onChange={(event) => setWritten(event.currentTarget.value)}
          />
          <div className={style.pair}>
            <NativeSelect
              label={words.category} value={category} data-testid="category"
              data={[{ value: '', label: words.pickCategory }, ...CATEGORIES.map((one) => ({ value: String(one), label: subject(one) }))]}
              onChange={(event) => setCategory(event.currentTarget.value)}
            />
            <NativeSelect
              label={words.district} value={district} data-testid="district"
              data={[{ value: '', label: words.unknownDistrict }, ...DISTRICTS.map((one) => ({ value: String(one), label: words.inDistrict(format.number(one)) }))]}
              onChange={(event) => setDistrict(event.currentTarget.value)}
            />
          </div>
          <ReferFields value={referral} onChange={setReferral} none={words.noReferral} />
          <ErrorNotice error={write.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>{words.keep}</Button>
            <Button disabled={!written.trim() || !category} loading={write.isPending} onClick={save} data-testid="save-request">{words.save}</Button>
          </Group>
        </div>
      )}
    </Sheet>
  )
}
