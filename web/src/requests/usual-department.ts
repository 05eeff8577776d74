import type { CityRequest, Department } from './queries'

const keyOf = (category: number | string) => `hotline137.department.${category}`

/** To which department something of this category went last from this browser, if it is still in use; otherwise ''. */
export function usualDepartment(category: string, departments: Pick<Department, 'id' | 'active'>[]): string {
  const kept = localStorage.getItem(keyOf(category)) ?? ''
  return departments.some(({ id, active }) => active && String(id) === kept) ? kept : ''
}

export function keepDepartment({ category, department }: Pick<CityRequest, 'category' | 'department'>): void {
  if (department) localStorage.setItem(keyOf(category), String(department.id))
}
