import { FileInput } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { BodysEvidence } from '../passes/bodys-evidence'
import type { Side } from '../passes/queries'
import type { At } from '../ui/use-fields'

const MOST = 3
const LONGEST_REPLY = 500

/** What is written, and what is added to it. */
export const joined = (before: string, more: string) => [before.trim(), more].filter(Boolean).join('\n').slice(0, LONGEST_REPLY)

/** Pictures that show that something is mended. One that has arrived is not sent twice. */
export function useEvidence(hand: (file: File) => Promise<{ id: string }>) {
  const [files, setFiles] = useState<File[]>([])
  const [theirs, setTheirs] = useState<string[]>([])
  const [arrived] = useState(() => new Map<File, string>())
  return {
    files, theirs, setTheirs,
    count: files.length + theirs.length,
    choose: (chosen: File[]) => setFiles(chosen.slice(0, MOST - theirs.length)),
    /** Their names at the API, once all are there. */
    sent: async () => {
      for (const file of files) if (!arrived.has(file)) arrived.set(file, (await hand(file)).id)
      return [...files.map((file) => arrived.get(file) ?? ''), ...theirs]
    },
  }
}

interface Props {
  at: At
  evidence: Omit<ReturnType<typeof useEvidence>, 'sent'>
  side: Side
  id: number
  onWords: (words: string) => void
}

/** One’s own pictures, and what bodies have shown to which it was passed on. */
export function EvidenceInput({ at, evidence: { files, theirs, setTheirs, count, choose }, side, id, onWords }: Props) {
  const words = useLanguage().text.requests
  return (
    <>
      <BodysEvidence side={side} id={id} chosen={theirs} onChoose={setTheirs} full={count >= MOST} onWords={onWords} />
      <FileInput
        {...at('pictures')} label={words.evidence} placeholder={words.chooseEvidence} description={words.evidenceHelp} multiple clearable
        clearButtonProps={{ 'aria-label': words.dropEvidence }} accept="image/jpeg,image/png,image/webp" value={files} onChange={choose} data-testid="evidence"
      />
    </>
  )
}
