/** As much as it takes to tell things apart. */
export const style = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 46rem; padding: 0 1rem }
label { display: block; margin: .4rem 0 }
.facts { display: grid; grid-template-columns: repeat(5, auto 1fr); gap: 0 .5rem; color: #555 }
.facts dd { margin: 0 }
pre { background: #eee; padding: .5rem; white-space: pre-wrap }
.theme-dark { background: #222; color: #eee; padding: .5rem }
.theme-light { background: #f4f4f4; padding: .5rem }
`;
