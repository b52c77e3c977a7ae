"""What the writers of the simulated world draw, in Spanish. Templates keep their fields."""

WORDS = {
    "Solve the equation for {v}: {e}": "Resuelve la ecuación para {v}: {e}",
    "Find all real solutions {v} of the algebraic equation {e}.": (
        "Halla todas las soluciones reales {v} de la ecuación algebraica {e}."
    ),
    "Determine the roots of the equation {e} in the unknown {v}.": (
        "Determina las soluciones de la ecuación {e} en la incógnita {v}."
    ),
    "What values of {v} satisfy the equation {e}? Give exact values.": (
        "¿Qué valores de {v} satisfacen la ecuación {e}? Da los valores exactos."
    ),
    "Let {v} be a real number such that {e}. Solve this equation for {v}.": (
        "Sea {v} un número real tal que {e}. Resuelve esta ecuación para {v}."
    ),
    " Explain the factorisation.": " Explica la factorización.",
    " Simplify the result.": " Simplifica el resultado.",
    " Show your algebra.": " Muestra todos los pasos.",
    "Geography: what is the {f} of {a}, and does {b} border {c}?": (
        "Geografía: ¿cuál es {f} de {a}, y limita {b} con {c}?"
    ),
    "Name the {f} of {a} and of {b} on the map.": "Señala en el mapa {f} de {a} y {f} de {b}.",
    "Which country has the larger area, {a} or {b}, and what is the {f} of {c}?": (
        "¿Qué país tiene mayor superficie, {a} o {b}, y cuál es {f} de {c}?"
    ),
    "Geography quiz: which of {a}, {b} and {c} lies furthest north, and what is the {f} of {a}?": (
        "Concurso de geografía: ¿cuál está más al norte, {a}, {b} o {c}, y cuál es {f} de {a}?"
    ),
    "capital city": "la capital",
    "longest river": "el río más largo",
    "highest mountain": "la montaña más alta",
    "largest lake": "el lago más grande",
    "second largest city": "la segunda ciudad más grande",
    "busiest seaport": "el puerto marítimo con más tráfico",
    "southernmost province": "la provincia más meridional",
    "driest region": "la región más seca",
    "Peru": "Perú",
    "Kenya": "Kenia",
    "Norway": "Noruega",
    "Morocco": "Marruecos",
    "Canada": "Canadá",
    "Finland": "Finlandia",
    "Thailand": "Tailandia",
    "Iceland": "Islandia",
    "Logic puzzle: ": "Acertijo de lógica: ",
    "Solve by deduction: ": "Resuelve por deducción: ",
    "; ": "; ",
    ". Also, ": ". Además, ",
    "sit in a row of {k} seats": "se sientan en una fila de {k} asientos",
    "stand in a queue with {k} places": "hacen cola en una fila de {k} puestos",
    "live in {k} houses side by side": "viven en {k} casas contiguas",
    "share {k} lockers along a wall": "comparten {k} taquillas a lo largo de una pared",
    "finish a race in places 1 to {k}": "terminan una carrera en los puestos 1 a {k}",
    "give {k} talks one after another": "dan {k} charlas, una tras otra",
    "{a} comes immediately before {b}": "{a} va justo antes de {b}",
    "{a} is not next to {b}": "{a} no está junto a {b}",
    "{a} is somewhere after {b}": "{a} va en algún lugar después de {b}",
    "exactly one person is between {a} and {b}": "hay exactamente una persona entre {a} y {b}",
    "either {a} or {b} is at an end": "o bien {a} o bien {b} está en un extremo",
    "{a} is not in place {n}": "{a} no está en el puesto {n}",
    "if {a} is in place {n}, then {b} is in place 1": (
        "si {a} está en el puesto {n}, entonces {b} está en el puesto 1"
    ),
    "{b} is next to {a} or in place {n}": "{b} está junto a {a} o en el puesto {n}",
    "Who is in place {n}?": "¿Quién está en el puesto {n}?",
    "In which order are they?": "¿En qué orden están?",
    "Who must be at the first end?": "¿Quién tiene que estar al principio?",
    "Which clue is redundant?": "¿Qué pista sobra?",
    "man": "hombre",
    "woman": "mujer",
    "patient": "paciente",
    "What is the most likely diagnosis?": "¿Cuál es el diagnóstico más probable?",
    "Which test should the doctor order first?": "¿Qué prueba debería pedir primero el médico?",
    "What is the best next step in treatment?": "¿Cuál es el mejor paso siguiente del tratamiento?",
    "Which drug is contraindicated in this patient?": "¿Qué fármaco está contraindicado en este caso?",
    "A {y}-year-old {p} with {i} presents with {s} for {d} days. {q}": (
        "Caso: {p} de {y} años, antecedentes: {i}; desde hace {d} días presenta {s}. {q}"
    ),
    "{s} for {d} days in a {y}-year-old {p}; medical history of {i}. {q}": (
        "Síntomas desde hace {d} días: {s}, en {p} de {y} años; antecedentes: {i}. {q}"
    ),
    "Medical exam: a {p} aged {y}, known for {i}, comes to the clinic with {s} since {d} days. {q}": (
        "Examen de medicina: {p} de {y} años, antecedentes: {i}, acude a la consulta con {s} desde hace {d} días. {q}"
    ),
    "type 2 diabetes": "diabetes tipo 2",
    "hypertension": "hipertensión",
    "asthma": "asma",
    "atrial fibrillation": "fibrilación auricular",
    "hypothyroidism": "hipotiroidismo",
    "no illness of note": "ninguna enfermedad relevante",
    "fever": "fiebre",
    "chest pain": "dolor torácico",
    "shortness of breath": "dificultad para respirar",
    "a persistent cough": "tos persistente",
    "joint swelling": "hinchazón de las articulaciones",
    "night sweats": "sudores nocturnos",
    "fatigue": "cansancio",
    "blurred vision": "visión borrosa",
    "a skin rash": "erupción cutánea",
    "abdominal pain": "dolor abdominal",
    "dizziness": "mareos",
    "weight loss": "pérdida de peso",
    "palpitations": "palpitaciones",
    "headache": "dolor de cabeza",
    "Write a {m} {f} about {a} and {b}.": "Escribe {f} de tono {m} sobre {a} y {b}.",
    "Compose a {f} on {a} in a {m} mood, with an image of {b}.": (
        "Compón {f} sobre {a} con un tono {m}, y menciona también {b}."
    ),
    "Give me a {m} poem, a {f}, in which {a} meets {b}.": "Quiero {f} de tono {m} sobre {a} y sobre {b}.",
    "Please write a {f}: {m}, inspired by {a} and by {b}.": (
        "Por favor, escribe {f} sobre {a} y sobre {b}; el tono debe ser {m}."
    ),
    "haiku": "un haiku",
    "limerick": "un limerick",
    "free-verse poem": "un poema en verso libre",
    "sonnet": "un soneto",
    "villanelle": "una villanela",
    "ode": "una oda",
    "ballad": "una balada",
    "acrostic poem": "un acróstico",
    "wistful": "nostálgico",
    "joyful": "alegre",
    "melancholy": "melancólico",
    "playful": "juguetón",
    "solemn": "solemne",
    "tender": "tierno",
    "the sea": "el mar",
    "autumn leaves": "las hojas de otoño",
    "an old lighthouse": "un viejo faro",
    "my grandmother's kitchen": "la cocina de mi abuela",
    "the first snow": "la primera nieve",
    "a lost letter": "una carta perdida",
    "the night train": "el tren nocturno",
    "a sleeping cat": "un gato dormido",
    "the moon": "la luna",
    "an empty theatre": "un teatro vacío",
    "city rain": "la lluvia en la ciudad",
    "a garden in June": "un jardín en junio",
    "Write a regular expression that matches {p} but not {q}.": (
        "Escribe una expresión regular que reconozca {p} pero no {q}."
    ),
    "Give me a regex to find {p} in text where {q} also occur.": (
        "Dame una expresión regular para encontrar {p} en un texto en el que también aparecen {q}."
    ),
    "What regex pattern extracts {p} and skips {q}?": "¿Qué expresión regular extrae {p} y omite {q}?",
    "I need a regular expression for {p}; it must not match {q}.": (
        "Necesito una expresión regular para {p}; no debe reconocer {q}."
    ),
    "email addresses": "direcciones de correo electrónico",
    "IPv4 addresses": "direcciones IPv4",
    "hex colour codes": "códigos de color hexadecimales",
    "ISO dates": "fechas ISO",
    "phone numbers": "números de teléfono",
    "postcodes": "códigos postales",
    "URLs": "URL",
    "floating-point numbers": "números de coma flotante",
    "quoted strings": "cadenas entre comillas",
    "hashtags": "etiquetas (hashtags)",
    "file extensions": "extensiones de archivo",
    "version numbers": "números de versión",
    "licence plates": "matrículas de coche",
    "capture the first part in a named group": "capturar la primera parte en un grupo con nombre",
    "ignore case": "ignorar mayúsculas y minúsculas",
    "match only whole words": "reconocer solo palabras completas",
    "use no lookbehind": "prescindir de lookbehind",
    "allow optional leading spaces": "permitir espacios iniciales",
    "reject a trailing dot": "rechazar un punto final",
    "use a negative lookahead": "usar un lookahead negativo",
    "anchor it to the line": "quedar anclada al inicio y al final de la línea",
    "avoid catastrophic backtracking": "evitar el backtracking catastrófico",
    "match at most {n} characters": "reconocer como máximo {n} caracteres",
    "require at least {n} digits": "exigir al menos {n} dígitos",
    "Classify the sentiment of this hotel review as positive, negative or mixed:": (
        "Clasifica el sentimiento de esta reseña de hotel como positivo, negativo o mixto:"
    ),
    "Is the following review positive or negative?": "¿La siguiente reseña es positiva o negativa?",
    "Label the sentiment (1 to 5) of the guest's review.": (
        "Puntúa el sentimiento de esta reseña de un huésped (de 1 a 5)."
    ),
    "What is the sentiment of this hotel review? Answer in one word.": (
        "¿Qué sentimiento expresa esta reseña de hotel? Responde con una sola palabra."
    ),
    "the staff were lovely": "el personal fue encantador",
    "breakfast was generous": "el desayuno era abundante",
    "the room had a great view": "la habitación tenía unas vistas estupendas",
    "check-in took a minute": "el registro de entrada duró un minuto",
    "the bed was wonderfully soft": "la cama era maravillosamente blanda",
    "the pool was spotless": "la piscina estaba impecable",
    "the shower was cold": "la ducha estaba fría",
    "the walls were paper thin": "las paredes eran finas como el papel",
    "the lift was broken": "el ascensor estaba averiado",
    "nobody answered the phone": "nadie contestaba al teléfono",
    "the carpet smelled of smoke": "la moqueta olía a humo",
    "we were charged twice": "nos cobraron dos veces",
}
REPAIRS = {
    r" y Irene": " e Irene",
    r"\. Clues: ": ". Pistas: ",
    r" The regex should ": " La expresión debe ",
    r"We stayed (\d+) nights at the (\w+) hotel": r"Pasamos \1 noches en el hotel \2",
}
