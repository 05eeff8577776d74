import { cloneElement, type VNode } from 'preact'
import { useId } from 'preact/hooks'
import { room } from './room'

interface Props {
  label: string
  wrong?: string
  children: VNode<{ value?: unknown, maxLength?: number }>
}

/** A field with its name above it, and what is wrong with it below; near its end, how much room is left. */
export function Field({ label, wrong = '', children }: Props) {
  const id = useId()
  const { value, maxLength } = children.props
  const told = wrong ? { 'aria-invalid': true, 'aria-describedby': `${id}-wrong` } : {}
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {cloneElement(children, { id, ...told })}
      {maxLength && typeof value === 'string' ? <p class="soft" role="status">{room(value, maxLength)}</p> : null}
      {wrong ? <p class="wrong" id={`${id}-wrong`}>{wrong}</p> : null}
    </div>
  )
}
