/** What a district looks like on the map, whatever its shape, and where a click on it leads. */
export interface Place {
  district: number
  label: string
  href: string
  /** 0 (nothing open) to 4 (as many as anywhere). */
  shade: number
  late: boolean
  open: string
}
