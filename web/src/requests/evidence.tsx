import { FileInput } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import type { At } from '../ui/use-fields'

const MOST = 3

/** Pictures that show that something is mended. One that has arrived is not sent twice. */
export function useEvidence(hand: (file: File) => Promise<{ id: string }>) {
  const [files, setFiles] = useState<File[]>([])
  const [arrived] = useState(() => new Map<File, string>())
  return {
    files,
    choose: (chosen: File[]) => setFiles(chosen.slice(0, MOST)),
    /** Their names at the API, once all are there. */
    sent: async () => {
      for (const file of files) if (!arrived.has(file)) arrived.set(file, (await hand(file)).id)
      return files.map((file) => arrived.get(file) ?? '')
    },
  }
}

interface Props {
  at: At
  evidence: Pick<ReturnType<typeof useEvidence>, 'files' | 'choose'>
}

export function EvidenceInput({ at, evidence: { files, choose } }: Props) {
  const words = useLanguage().text.requests
  return (
    <FileInput
      {...at('pictures')} label={words.evidence} placeholder={words.chooseEvidence} description={words.evidenceHelp} multiple clearable
      clearButtonProps={{ 'aria-label': words.dropEvidence }} accept="image/jpeg,image/png,image/webp" value={files} onChange={choose} data-testid="evidence"
    />
  )
}
