import { Modal, type ModalProps } from '@mantine/core'
import { useMounted } from '@mantine/hooks'
import { useEscape } from './use-escape'

/** Opens once it is there: so it knows where the cursor was, and leads back to it. */
export default function LateModal({ opened, ...props }: ModalProps) {
  const there = useMounted()
  useEscape(there && opened, props.onClose)
  return <Modal {...props} opened={there && opened} closeOnEscape={false} transitionProps={{ duration: 0 }} />
}
