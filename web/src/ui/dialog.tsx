import type { ModalProps } from '@mantine/core'
import { Suspense, useState } from 'react'
import { part } from './part'

const LateModal = part<ModalProps>(() => import('./late-modal'))

/** Mantine's modal, which is a seventh of all code: no page waits for it (shell/shell.tsx). */
export function Dialog(props: ModalProps) {
  const [wanted, setWanted] = useState(props.opened)
  if (props.opened && !wanted) setWanted(true)
  return wanted && <Suspense><LateModal {...props} /></Suspense>
}

export const fetchDialogs = LateModal.fetchAhead
